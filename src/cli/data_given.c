#include "cli/data_given.h"

#include "data/recognise.h"

const struct dataset_class *data_given_class(const char *format, const char *path, struct error *error)
{
    struct candidates candidates;
    const struct kind *kind = format ? kind_find(&dataset_registry, format) : NULL;
    if (format && !kind) {
        error_set(error, ERROR_USAGE, "--format: %s is not known", format);
        return NULL;
    }
    candidates_all(&candidates);
    if (!kind && !candidates_look(&candidates, path, error))
        return NULL;
    const struct dataset_class *class = kind ? (const struct dataset_class *)kind
                                             : candidates_one(&candidates, path, error);
    if (!class && candidates.count > 1)
        error_prefix(error, "--format is needed: ");
    if (class && !class->survey) {
        error_set(error, ERROR_USAGE, "there is nothing to tell about files of format %s", class->kind.name);
        return NULL;
    }
    return class;
}

bool data_given_job(struct job *job, const struct dataset_class *class, const char *keys, const char *const *overrides,
                    size_t count, struct error *error)
{
    static const char rest[] = "\nmodel: [{layer: flatten}]\ntrain: {steps: 1, batch: 1}\n"
                               "optimizer: {name: sgd, learning_rate: 1}\n";
    struct text yaml;
    text_init(&yaml);
    text_append(&yaml, "run: run\ndata: {train: {format: %s%s}}%s", class->kind.name, keys, rest);
    bool ok = job_parse(job, "what was found", text_bytes(&yaml), overrides, count, error);
    text_release(&yaml);
    return ok;
}
