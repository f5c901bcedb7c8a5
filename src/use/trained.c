#include "use/trained.h"

#include "base/memory.h"
#include "checkpoint/locate.h"

#include <string.h>

/* What it has learned is worth nothing on other scales. */
static bool check_standards(const struct trained *trained, const struct weights_file *file, struct error *error)
{
    return description_is_standardised(&trained->saved.about, trained->job.data.standardise) ||
           error_set(error, ERROR_USAGE,
                     "%s does not tell what its data were standardised with, as data.standardise wants it: use a "
                     "checkpoint of the training",
                     file->path);
}

static bool take(struct trained *trained, const struct weights_file *file, const struct trained_options *options,
                 struct error *error)
{
    const struct weights *weights = &file->weights;
    if (!weights->job || !*weights->job)
        return error_set(error, ERROR_USAGE,
                         "%s does not say what job it is of: make a weights file of it with lockstep import",
                         file->path);
    if (!job_parse_saved(&trained->job, "the file's job", weights->job, options->overrides, options->count, error))
        return error_prefix(error, "%s: ", file->path);
    trained->step = weights->step;
    return saved_model_open(&trained->saved, file, &trained->job, options->overrides, options->count, error) &&
           check_standards(trained, file, error) && model_allocate(&trained->saved.model, error) &&
           (trained->params = saved_model_load(&trained->saved, error)) != NULL;
}

bool trained_open(struct trained *trained, const char *word, const struct trained_options *options, struct error *error)
{
    struct weights_file file;
    *trained = (struct trained){0};
    if (!locate_checkpoint(word, trained->path, error))
        return false;
    if (!weights_open(&file, trained->path, options->averaged, error)) {
        locate_older(word, trained->path, error);
        return false;
    }
    bool ok = take(trained, &file, options, error);
    if (!ok)
        trained_close(trained);
    match_release(&trained->saved.match); /* it looks into the file */
    weights_close(&file);
    return ok;
}

void trained_close(struct trained *trained)
{
    memory_free(trained->params);
    saved_model_close(&trained->saved);
    job_release(&trained->job);
    memset(trained, 0, sizeof *trained);
}
