#include "train/keep_every.h"

#include "base/log.h"
#include "base/watchdog.h"
#include "checkpoint/pin.h"
#include "train/restore.h"

#include <inttypes.h>
#include <string.h>

bool keep_every_pin(const struct session *session, uint64_t step, struct error *error)
{
    char path[PATH_MAX];
    uint64_t every = session->job->checkpoint.keep_every;
    if (session->world->rank != 0 || every == 0 || step % every == 0)
        return true;
    store_path(&session->store, step, path);
    watchdog_begin(path, 0);
    bool ok = pin_exists(path) || pin_add(path, error);
    watchdog_end();
    return ok;
}

/* Local, rank 0. What an earlier checkpoint.keep_every wanted to stay for ever, and what stands in the place of such a
 * one, if the job was killed before it could say so (keep_every_pin). *pinned: how many of the former. */
static bool pin_kept(const struct session *session, size_t *pinned, struct error *error)
{
    uint64_t before = session->restore->kept_every, now = session->job->checkpoint.keep_every;
    if (before > 0 && before != now && !store_pin_every(&session->store, before, now, pinned, error))
        return false;
    return session->saving.saved_step != session->step || !strstr(session->record.why, "keep_every") ||
           keep_every_pin(session, session->step, error);
}

bool keep_every_begin(struct session *session, struct error *error)
{
    size_t pinned = 0;
    bool ok = session->world->rank != 0 || pin_kept(session, &pinned, error);
    if (pinned > 0)
        log_info("checkpoint.keep_every was %" PRIu64 ": %zu checkpoint%s pinned, to stay for ever all the same",
                 session->restore->kept_every, pinned, pinned == 1 ? " is" : "s are");
    return restore_agree(session->restore, ok, "pinning checkpoints", error);
}
