#include "train/data_watch.h"

#include "base/clock.h"
#include "base/watchdog.h"

#include <inttypes.h>
#include <stdio.h>

#define LOOK_S 1.0 /* the files of a job may lie behind a network */

/* A second reading, if there has to be one, at this many bytes a second. */
#define SLOWEST_RATE 20e6

/* Local. Whether this dataset is what it was. */
static bool look(struct dataset *dataset, double bytes, const char *what, struct error *error)
{
    if (!dataset->class)
        return true;
    watchdog_begin(what, 60 + bytes / SLOWEST_RATE);
    bool ok = !dataset_failed(dataset, error) && dataset_look(dataset, error);
    watchdog_end();
    return ok || error_prefix(error, "%s: ", what);
}

/* Local. What a rank has once found stays found. */
static bool look_at_all(struct session *session)
{
    struct data_watch *watch = &session->data_watch;
    if (watch->failed)
        return false;
    watch->looked_s = clock_seconds();
    watch->failed = !look(&session->train, session->data_bytes, "data.train", &watch->error) ||
                    !look(&session->validation, session->data_bytes, "data.validation", &watch->error);
    return !watch->failed;
}

unsigned data_watch_flags(struct session *session)
{
    struct data_watch *watch = &session->data_watch;
    struct error ignored;
    bool due = clock_seconds() - watch->looked_s >= LOOK_S || dataset_failed(&session->train, &ignored) ||
               dataset_failed(&session->validation, &ignored);
    return (due && !look_at_all(session)) || watch->failed ? DATA_IS_WRONG : 0;
}

bool data_watch_agree(struct session *session, struct error *error)
{
    bool ok = look_at_all(session);
    if (!ok)
        *error = session->data_watch.error;
    if (world_agree(session->world, ok, error))
        return true;
    char kept[80] = "no checkpoint has been made so far";
    if (session->saved_step != UINT64_MAX)
        snprintf(kept, sizeof kept, "the newest checkpoint is of step %" PRIu64, session->saved_step);
    struct error found = *error;
    return error_set(
        error, found.kind,
        "%s. What was trained since is not saved; %s. Put the file back as it was and start again, or begin "
        "another run: with the new data",
        found.text, kept);
}
