#include "base/memory.h"
#include "data/dataset.h"
#include "data/recognise.h"

#include <string.h>

/* The format that reads what is piped in. */
static const struct dataset_class *find_piped(void)
{
    const struct kind *const *kind = dataset_registry.kinds;
    while (!((const struct dataset_class *)*kind)->reads_standard_input)
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

bool dataset_open_inputs(struct dataset *dataset, const char *path, const struct dataset_spec *like,
                         const struct description *train, struct error *error)
{
    const struct dataset_class *class = path ? find_class(path, like->class) : find_piped();
    memset(dataset, 0, sizeof *dataset);
    if (!class->open_inputs)
        return error_set(error, ERROR_USAGE, "%s: inputs alone cannot be read of data of format %s", path,
                         class->kind.name);
    dataset->failure = memory_need(1, sizeof *dataset->failure);
    if (!class->open_inputs(dataset, path, class == like->class ? like->settings : NULL, train, error)) {
        description_release(&dataset->about);
        memory_free(dataset->failure);
        memset(dataset, 0, sizeof *dataset);
        return false;
    }
    dataset->class = class;
    dataset->about.format = memory_text(class->kind.name);
    if (!dataset_inputs_fit(dataset, train, path ? path : "standard input", error)) {
        dataset_close(dataset);
        return false;
    }
    dataset->about.form = train->form;
    standard_copy(&dataset->about.input_standard, &train->input_standard);
    return true;
}
