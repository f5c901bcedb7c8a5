#include "job/job_model.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "nn/reading.h"

#include <string.h>

/* What the settings and this vocabulary tell; all 0: they do not. */
static struct leaf_form known_form(const struct job *job, const char *vocabulary)
{
    const struct dataset_spec *data = &job->data.train;
    return data->class->form ? data->class->form(data->settings, vocabulary ? vocabulary : "") : (struct leaf_form){0};
}

static bool is_described(struct job_model_data known)
{
    return known.description && *known.description;
}

bool job_model_is_known(const struct job *job, struct job_model_data known)
{
    return is_described(known) || known_form(job, known.vocabulary).terms > 0;
}

static bool open_data(const struct job *job, struct description *about, struct error *error)
{
    struct dataset data;
    if (!dataset_open(&data, &job->data.train, NULL, error))
        return error_prefix(error, "data.train: ");
    description_copy(about, &data.about);
    dataset_close(&data);
    return true;
}

static bool describe_data(const struct job *job, struct job_model_data known, struct description *about,
                          struct error *error)
{
    if (!job_model_is_known(job, known))
        return open_data(job, about, error);
    if (known.vocabulary && !utf8_is_text(known.vocabulary, strlen(known.vocabulary)))
        return error_set(error, ERROR_CORRUPT, "its vocabulary is not UTF-8");
    if (is_described(known) && !description_read(about, known.description, error))
        return false;
    if (!is_described(known))
        *about = (struct description){.format = memory_text(job->data.train.class->kind.name),
                                      .form = known_form(job, known.vocabulary)};
    if (known.vocabulary && *known.vocabulary)
        about->vocabulary = memory_text(known.vocabulary);
    return true;
}

bool job_model_describe(const struct job *job, struct job_model_data known, struct model *model,
                        struct description *about, struct error *error)
{
    if (!describe_data(job, known, about, error))
        return false;
    if (!is_described(known))
        about->form.input = model_reads(&job->model, &about->form.input);
    if (model_describe(model, &job->model, &job->loss, &about->form, job->train.microbatch, job->seed, error))
        return true;
    description_release(about);
    return false;
}
