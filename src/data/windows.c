#include "data/windows.h"

#include "data/dataset.h"
#include "data/part.h"

#include <inttypes.h>

bool windows_check(const struct windows_wanted *wanted, const struct description *train, struct error *error)
{
    if (!wanted->path || !*wanted->path)
        return error_set(error, ERROR_USAGE, "a dataset of format %s needs the path of its file", wanted->format);
    if (wanted->context < 1)
        return error_set(error, ERROR_USAGE, "the dataset has context 0: a window needs at least 1 %s", wanted->unit);
    if (!part_is_possible(wanted->part, error))
        return false;
    if (train && train->form.vocabulary > 0 && train->form.input.size[0] != wanted->context)
        return error_set(error, ERROR_USAGE,
                         "%s is read with context %" PRIu64 ", but the training data with %zu: both must be equal",
                         wanted->path, wanted->context, train->form.input.size[0]);
    return true;
}

bool windows_cut(struct windows *windows, const struct windows_wanted *wanted, size_t there, bool tiled,
                 struct error *error)
{
    size_t begin, end;
    part_place(wanted->part, there, &begin, &end);
    if (end - begin <= wanted->context)
        return error_set(error, ERROR_USAGE,
                         "context %" PRIu64
                         " is longer than the part allows: part [%g, %g] of %s holds %zu %ss, and a window needs one "
                         "more than its context; choose a smaller context or a larger part",
                         wanted->context, wanted->part[0], wanted->part[1], wanted->path, end - begin, wanted->unit);
    *windows = (struct windows){
        .begin = begin, .length = end - begin, .context = (size_t)wanted->context, .tiled = tiled};
    return true;
}

size_t windows_count(const struct windows *windows)
{
    size_t successors = windows->length - 1;
    /* Tiled: rounded up, for the last window reaches back. */
    return windows->tiled ? (successors - 1) / windows->context + 1 : windows->length - windows->context;
}

struct leaf_form windows_form(size_t context, size_t vocabulary)
{
    return (struct leaf_form){
        .input = {1, {context}}, .vocabulary = vocabulary, .classes = vocabulary, .terms = context};
}

size_t windows_cost(const struct windows *windows)
{
    return windows->tiled ? windows->context : 1;
}

size_t windows_place(const struct windows *windows, size_t index, size_t *repeated)
{
    size_t last = windows->length - 1 - windows->context; /* where the last window begins */
    size_t tile = windows->tiled ? index * windows->context : index;
    size_t begin = tile < last ? tile : last;
    *repeated = tile - begin;
    return begin;
}
