/* What may go, and how it goes: store_prune and store_clear. */
#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint/pin.h"
#include "checkpoint/seal.h"
#include "checkpoint/store.h"

#include <inttypes.h>
#include <stdio.h>

/* Takes a checkpoint out of sight, durably, and then deletes it: at no moment is there a checkpoint with a final name
 * that is not whole. What was pinned meanwhile comes back (see pin.h). */
static bool take_away(const struct store *store, uint64_t step, uint64_t at_step, struct error *error)
{
    char path[PATH_MAX], hidden[PATH_MAX];
    store_path(store, step, path);
    store_deleted_path(store, step, hidden);
    if (!file_rename(path, hidden, error))
        return error_prefix(error, "cannot unpublish %s: ", path);
    if (pin_exists(path))
        return file_rename(hidden, path, error) || error_prefix(error, "%s was pinned: ", path);
    if (!file_sync_parent(path, error))
        return false;
    fault_at(FAULT_UNPUBLISHED, at_step);
    return file_remove(hidden, error);
}

/* Whether a checkpoint that is not among the newest stays all the same. */
static bool stays(const struct retention *retention, uint64_t step, const char *path)
{
    for (size_t i = 0; i < retention->best_count; i++)
        if (retention->best[i] == step)
            return true;
    return (retention->every > 0 && step % retention->every == 0) || pin_exists(path);
}

static bool prune_checkpoints(const struct store *store, uint64_t newest, const struct retention *retention,
                              struct error *error)
{
    char path[PATH_MAX];
    uint64_t *steps;
    size_t count;
    bool ok = store_list(store, &steps, &count, error);
    for (size_t i = 0, recent = 0; ok && i < count; i++) {
        store_path(store, steps[i], path);
        if (steps[i] > newest || (recent >= retention->newest && stays(retention, steps[i], path)) ||
            !seal_is_ours(path))
            continue;
        if (recent < retention->newest)
            recent++;
        else
            ok = take_away(store, steps[i], newest, error);
    }
    memory_free(steps);
    return ok;
}

/* A rejected file is damaged, but if it begins as ours do, it was ours. */
static bool prune_rejected(const struct store *store, struct error *error)
{
    char path[PATH_MAX], rejected[PATH_MAX];
    uint64_t *steps;
    size_t count;
    bool ok = store_list_rejected(store, &steps, &count, error);
    for (size_t i = STORE_REJECTED; ok && i < count; i++) {
        store_path(store, steps[i], path);
        store_rejected_path(store, steps[i], rejected);
        if (!pin_exists(path) && seal_is_ours(rejected))
            ok = file_remove(rejected, error);
    }
    memory_free(steps);
    return ok;
}

bool store_prune(const struct store *store, uint64_t newest, const struct retention *retention, struct error *error)
{
    return prune_checkpoints(store, newest, retention, error) && prune_rejected(store, error);
}

/* ERROR_USAGE that names the pinned ones, if there are any. */
static bool check_no_pins(const struct store *store, const uint64_t *steps, size_t count, struct error *error)
{
    char path[PATH_MAX];
    size_t pinned = 0;
    struct text names;
    text_init(&names);
    for (size_t i = 0; i < count; i++) {
        store_path(store, steps[i], path);
        if (pin_exists(path) && ++pinned)
            text_append(&names, "%s%" PRIu64, pinned > 1 ? ", " : "", steps[i]);
    }
    bool ok = pinned == 0 ||
              error_set(error, ERROR_USAGE,
                        "%s: the checkpoint%s of step %.500s %s pinned, and nothing was deleted: choose another run:, "
                        "or unpin first (lockstep pin --remove FILE)",
                        store->directory, pinned == 1 ? "" : "s", text_bytes(&names), pinned == 1 ? "is" : "are");
    text_release(&names);
    return ok;
}

bool store_clear(const struct store *store, struct error *error)
{
    char path[PATH_MAX];
    uint64_t *steps;
    size_t count;
    bool ok = store_list(store, &steps, &count, error) && check_no_pins(store, steps, count, error);
    for (size_t i = 0; ok && i < count; i++) {
        store_path(store, steps[i], path);
        ok = seal_is_ours(path) ? take_away(store, steps[i], 0, error) : store_reject(store, steps[i], error);
    }
    memory_free(steps);
    return ok;
}

bool store_pin_every(const struct store *store, uint64_t every, uint64_t unless, size_t *count, struct error *error)
{
    uint64_t *steps;
    size_t length;
    *count = 0;
    if (!store_list(store, &steps, &length, error))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < length; i++) {
        char path[PATH_MAX];
        store_path(store, steps[i], path);
        if (steps[i] % every != 0 || (unless > 0 && steps[i] % unless == 0) || pin_exists(path) || !seal_is_ours(path))
            continue;
        ok = pin_add(path, error);
        ++*count;
    }
    memory_free(steps);
    return ok;
}
