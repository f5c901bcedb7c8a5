#include "job/job_model.h"

#include "base/memory.h"

/* What the settings and this vocabulary tell; all 0: they do not. */
static struct leaf_form known_form(const struct job *job, const char *vocabulary)
{
    const struct dataset_spec *data = &job->data.train;
    return data->class->form ? data->class->form(data->settings, vocabulary ? vocabulary : "") : (struct leaf_form){0};
}

bool job_model_is_known(const struct job *job, const char *vocabulary)
{
    return known_form(job, vocabulary).terms > 0;
}

bool job_model_describe(const struct job *job, const char *vocabulary, struct model *model, char **own,
                        struct error *error)
{
    struct leaf_form form;
    *own = NULL;
    if (job_model_is_known(job, vocabulary)) {
        form = known_form(job, vocabulary);
        if (vocabulary && *vocabulary)
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
