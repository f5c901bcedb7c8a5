#include "base/memory.h"
#include "data/dataset.h"
#include "data/recognise.h"

/* The format whose rows come through a pipe. */
static const struct dataset_class *find_piped(void)
{
    const struct kind *const *kind = dataset_registry.kinds;
    while (!((const struct dataset_class *)*kind)->open_rows)
        kind++;
    return (const struct dataset_class *)*kind;
}

/* The format that a file's first bytes tell for sure, or else `otherwise`. What cannot be read is for that to refuse.
 */
static const struct dataset_class *find_class(const char *path, const struct dataset_class *otherwise)
{
    struct candidates candidates;
    struct error ignored;
    candidates_all(&candidates);
    bool ok = candidates_look(&candidates, path, &ignored) && candidates.are_sure && candidates.count == 1;
    return ok ? candidates.classes[0] : otherwise;
}

/* What of the training data's settings counts for a format. */
static const void *settings_for(const struct dataset_class *class, const struct dataset_spec *like)
{
    return class == like->class ? like->settings : NULL;
}

static void begin(struct dataset *dataset)
{
    *dataset = (struct dataset){.failure = memory_need(1, sizeof(struct error))};
}

static void drop(struct dataset *dataset)
{
    description_release(&dataset->about);
    memory_free(dataset->failure);
    *dataset = (struct dataset){0};
}

/* What the format has opened becomes a dataset, if it fits; `name`: where it comes from. */
static bool take(struct dataset *dataset, const struct dataset_class *class, const char *name,
                 const struct description *train, struct error *error)
{
    dataset->class = class;
    dataset->about.format = memory_text(class->kind.name);
    if (!dataset_inputs_fit(dataset, train, name, error)) {
        dataset_close(dataset);
        return false;
    }
    dataset->stored = dataset->about.form.input;
    dataset->about.form = train->form;
    standard_copy(&dataset->about.input_standard, &train->input_standard);
    return true;
}

bool dataset_open_inputs(struct dataset *dataset, const char *path, const struct dataset_spec *like,
                         const struct description *train, struct error *error)
{
    const struct dataset_class *class = find_class(path, like->class);
    *dataset = (struct dataset){0};
    if (!class->open_inputs)
        return error_set(error, ERROR_USAGE, "%s: inputs alone cannot be read of data of format %s", path,
                         class->kind.name);
    begin(dataset);
    if (class->open_inputs(dataset, path, settings_for(class, like), train, error))
        return take(dataset, class, path, train, error);
    drop(dataset);
    return false;
}

bool dataset_open_rows(struct dataset *dataset, struct row_stream *stream, const struct dataset_spec *like,
                       const struct description *train, struct error *error)
{
    const struct dataset_class *class = find_piped();
    begin(dataset);
    bool ok = class->open_rows(dataset, stream, settings_for(class, like), train, error);
    if (ok && dataset->self)
        return take(dataset, class, "standard input", train, error);
    drop(dataset);
    return ok;
}
