#include "use/unchanged.h"

#include "base/watchdog.h"
#include "data/watched.h"

#define SLOWEST_RATE 20e6 /* bytes a second, of data that have to be read again */

static bool is_unchanged(struct dataset *dataset, struct error *error)
{
    return !dataset->class ||
           (!dataset_failed(dataset, error) && dataset_look(dataset, error) && dataset_prove(dataset, error));
}

bool unchanged_agree(const struct world *world, struct dataset *const *datasets, size_t count, struct error *error)
{
    double bytes = 0;
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        bytes += dataset_bytes(datasets[i]);
    watchdog_begin_meeting("the data are looked at again", bytes / SLOWEST_RATE, false);
    for (size_t i = 0; i < count && ok; i++)
        ok = is_unchanged(datasets[i], error);
    ok = world_agree(world, ok, error);
    watchdog_end();
    return ok;
}

/* Their content was not digested, so a write alone is too much. */
static bool is_unwritten(struct dataset *input, struct error *error)
{
    if (!input->class)
        return true;
    if (dataset_failed(input, error) || !dataset_look(input, error))
        return false;
    for (const struct watched *file = input->files; file; file = file->next)
        if (file->written)
            return error_set(error, ERROR_CORRUPT,
                             "%s was written to while it was read: some of the answers may be of what it was, some of "
                             "what it is; ask again when nobody writes there",
                             file->path);
    return true;
}

bool unchanged_inputs_agree(const struct world *world, struct dataset *inputs, size_t count, struct error *error)
{
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = is_unwritten(&inputs[i], error);
    return world_agree(world, ok, error);
}
