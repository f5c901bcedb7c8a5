#include "job/job_data.h"

#include "nn/reading.h"

/* In the shape that the model reads. */
static bool open_train(const struct job *job, struct dataset *train, struct dataset_aid *aid, struct error *error)
{
    if (!dataset_open_with(train, &job->data.train, NULL, aid, error))
        return error_prefix(error, "data.train: ");
    const struct shape input = model_reads(&job->model, &train->about.form.input);
    dataset_read_as(train, &input);
    return true;
}

/* Out of the data of data.train, which are open. */
static bool split(const struct job *job, struct dataset *train, struct dataset *validation, struct error *error)
{
    return dataset_split(train, job->seed, job->data.split.validation, validation, error) ||
           error_prefix(error, "data.split.validation: ");
}

static bool check_standardise(const struct job *job, const struct dataset *train, struct error *error)
{
    return standardise_check(job->data.standardise, &train->about.form, error) ||
           error_prefix(error, "data.standardise: ");
}

/* What the order keeps together, and a split. */
static bool cut(const struct job *job, struct dataset *train, struct error *error)
{
    return job->data.shuffle != SHUFFLE_CHUNKS || dataset_cut(train, job->data.shuffle_chunk, error) ||
           error_prefix(error, "data.shuffle: ");
}

/* A split takes whole chunks: of others it would be another one. */
static bool has_same_chunks(const struct dataset *source, const struct description *train, struct error *error)
{
    return train->chunks == 0 || source->about.chunks == train->chunks ||
           error_set(error, ERROR_USAGE,
                     "data.train: is stored in other chunks than for the checkpoint, and data.split.validation has "
                     "taken whole ones: store it as it was");
}

static bool check_augment(const struct job *job, const struct dataset *train, struct error *error)
{
    return augment_check(&job->data.augment, &train->about.form, error) || error_prefix(error, "data.augment.");
}

static bool open_validation(const struct job *job, struct dataset *train, struct dataset *validation,
                            struct dataset_aid *aid, struct error *error)
{
    if (job->data.split.validation > 0)
        return split(job, train, validation, error);
    return !job->data.validation.class ||
           dataset_open_with(validation, &job->data.validation, &train->about, aid, error) ||
           error_prefix(error, "data.validation: ");
}

bool job_data_open(const struct job *job, struct dataset *train, struct dataset *validation, struct job_data_aid *aid,
                   struct error *error)
{
    *validation = (struct dataset){0};
    if (!open_train(job, train, aid ? &aid->train : NULL, error))
        return false;
    if (check_standardise(job, train, error) && check_augment(job, train, error) && cut(job, train, error) &&
        open_validation(job, train, validation, aid ? &aid->validation : NULL, error))
        return true;
    dataset_close(train);
    return false;
}

void job_data_each_path(const struct job *job, void (*visit)(const char *path, void *context), void *context)
{
    const struct dataset_spec *specs[] = {&job->data.train, &job->data.validation};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct option_keys keys;
        if (!specs[i]->class)
            continue;
        option_keys_of(dataset_rows, (void *)(uintptr_t)specs[i], &keys);
        for (size_t k = 0; k < keys.count; k++) {
            const char *path = option_input(&keys.keys[k]);
            if (path)
                visit(path, context);
        }
    }
}

bool job_data_open_validation(const struct job *job, const struct description *train, struct dataset *source,
                              struct dataset *validation, struct error *error)
{
    *source = (struct dataset){0};
    if (job->data.split.validation == 0)
        return dataset_open(validation, &job->data.validation, train, error) ||
               error_prefix(error, "data.validation: ");
    if (!dataset_open(source, &job->data.train, train, error))
        return error_prefix(error, "data.train: ");
    if (cut(job, source, error) && has_same_chunks(source, train, error) && split(job, source, validation, error))
        return true;
    dataset_close(source);
    return false;
}
