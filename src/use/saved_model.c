#include "use/saved_model.h"

#include "base/memory.h"
#include "job/job_model.h"

#include <stdio.h>
#include <string.h>

/* Whether the user has said what this key of the job is: itself, or all of a section that it is in. */
static bool is_said(const char *const *overrides, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(overrides[i], "=");
        if (strncmp(overrides[i], key, length) == 0 && (key[length] == '\0' || key[length] == '.'))
            return true;
    }
    return false;
}

static struct job_model_data known_of(const struct weights_file *file)
{
    return (struct job_model_data){file->weights.vocabulary, file->weights.data};
}

static bool check_data(const struct weights_file *file, const struct job *job, const char *const *overrides,
                       size_t count, struct error *error)
{
    const struct dataset_spec *data = &job->data.train;
    struct option_keys keys;
    option_keys_of(dataset_rows, (struct dataset_spec *)data, &keys);
    bool is_known = job_model_is_known(job, known_of(file));
    for (size_t k = 0; !is_known && k < keys.count; k++) {
        const char *input = option_input(&keys.keys[k]);
        char name[64];
        snprintf(name, sizeof name, "data.train.%s", keys.keys[k].option->name);
        if (input && !is_said(overrides, count, name))
            return error_set(error, ERROR_USAGE,
                             "%s: what the samples are is to be seen in the data alone, and its own job's word for "
                             "where they are is not taken: say it, with --set %s=... (there: %.200s)",
                             file->path, name, input);
    }
    return true;
}

bool saved_model_open(struct saved_model *opened, const struct weights_file *file, const struct job *job,
                      const char *const *overrides, size_t count, struct error *error)
{
    *opened = (struct saved_model){0};
    if (!check_data(file, job, overrides, count, error))
        return false;
    if (!job_model_describe(job, known_of(file), &opened->model, &opened->about, error))
        return error_prefix(error, "%s: the model that its job describes: ", file->path);
    if (match_init(&opened->match, file, &opened->model, NULL, error) && match_check(&opened->match, false, error))
        return true;
    saved_model_close(opened);
    return false;
}

void saved_model_close(struct saved_model *opened)
{
    match_release(&opened->match);
    model_release(&opened->model);
    description_release(&opened->about);
    *opened = (struct saved_model){0};
}

float *saved_model_load(const struct saved_model *opened, struct error *error)
{
    const struct tensor_table *table = &opened->model.table;
    float *params = memory_alloc(table->count, sizeof *params, "the weights", error);
    bool ok = params != NULL;
    if (ok)
        memset(params, 0, table->count * sizeof *params);
    for (size_t t = 0; ok && t < table->length; t++)
        ok = match_load(&opened->match, t, params + table->tensors[t].offset, error);
    if (ok)
        return params;
    memory_free(params);
    return NULL;
}
