#include "job/job_model.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <string.h>

/* As the format text fills it in. */
static struct leaf_form text_form(const char *vocabulary, uint64_t context)
{
    size_t characters = 0;
    for (size_t length; *vocabulary; vocabulary += length, characters++) {
        uint32_t character;
        length = utf8_decode(vocabulary, strnlen(vocabulary, UTF8_BYTES), &character);
        if (length == 0)
            length = 1;
    }
    return (struct leaf_form){
        .input = {1, {(size_t)context}}, .vocabulary = characters, .classes = characters, .terms = (size_t)context};
}

bool job_model_describe(const struct job *job, const char *vocabulary, struct model *model, char **own,
                        struct error *error)
{
    struct leaf_form form;
    *own = NULL;
    if (job->data.train.format == DATASET_TEXT && vocabulary && *vocabulary) {
        form = text_form(vocabulary, job->data.train.context);
        *own = memory_text(vocabulary);
    } else {
        struct dataset data;
        if (!dataset_open(&data, &job->data.train, NULL, error))
            return error_prefix(error, "data.train: ");
        form = data.form;
        if (data.vocabulary)
            *own = memory_text(data.vocabulary);
        dataset_close(&data);
    }
    if (model_describe(model, &job->model, &job->loss, &form, job->train.microbatch, job->seed, error))
        return true;
    memory_free(*own);
    *own = NULL;
    return false;
}
