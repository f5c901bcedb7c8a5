#include "train/resume.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "train/branch.h"
#include "train/restore.h"
#include "train/resume_copies.h"
#include "train/resume_file.h"
#include "train/warm_start.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void start_anew(struct session *session)
{
    session->step = 0;
    session->loss = NAN;
    session->saving.saved_step = UINT64_MAX;
    session->record.lineage = strtoull(session->store.token, NULL, 16);
    float *params = learner_own_params(&session->learner);
    tensor_table_fill(&session->learner.model.table, session->job->seed, session->learner.shard.first,
                      session->learner.shard.count, params);
    for (size_t k = 0; k < OPTIMIZER_MOMENTS && session->learner.used.moments[k];
         k++) /* after copies that did not fit */
        memset(session->learner.used.moments[k], 0, session->learner.shard.count * sizeof *params);
    if (session->learner.used.average)
        memcpy(session->learner.used.average, params, session->learner.shard.count * sizeof *params);
}

/* Collective over world. Rank 0's list of steps, on every rank. */
static bool list_steps(struct session *session, uint64_t **steps, size_t *count, struct error *error)
{
    bool ok = session->world->rank != 0 || store_list(&session->store, steps, count, error);
    if (!restore_agree(session->restore, ok, "the list of checkpoints", error))
        return false;
    size_t bytes = *count * sizeof **steps;
    char *shared = (char *)*steps;
    world_share_bytes(session->world, &shared, &bytes);
    *steps = (uint64_t *)(void *)shared;
    *count = bytes / sizeof **steps;
    return true;
}

/* Collective over world. Puts the invalid ones aside. Left where they are, a later start could take one of them for the
 * newest, if what is wrong with it passes, and drop what has been trained without it; and they would count among those
 * to keep. */
static bool reject(struct session *session, const uint64_t *steps, size_t count, struct error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count && session->world->rank == 0; i++) {
        ok = store_reject(&session->store, steps[i], error);
        fault_at(FAULT_RESTORE_REJECTED, session->step);
    }
    if (ok && count > 0)
        log_warn("%zu newer checkpoint%s put aside as .rejected", count, count == 1 ? "" : "s");
    return restore_agree(session->restore, ok, "putting invalid checkpoints aside", error);
}

/* Collective over world. A checkpoint of the run. */
static bool resume_from(struct session *session, uint64_t step, struct error *error)
{
    char path[PATH_MAX];
    store_path(&session->store, step, path);
    if (!resume_file(session, path, error))
        return false;
    session->saving.saved_step = step;
    return true;
}

/* Collective over world. Step 0: initial weights, or those of a file. What --overwrite takes away goes last, so that it
 * stays if the file is no good, and may be that file. */
static bool begin(struct session *session, const uint64_t *steps, size_t count, struct error *error)
{
    start_anew(session);
    if (session->options->init_from && !warm_start(session, error))
        return false;
    if (count == 0)
        return true;
    bool ok = session->world->rank != 0 || store_clear(&session->store, error);
    if (!restore_agree(session->restore, ok, "deleting the checkpoints", error))
        return false;
    log_info("deleted %zu checkpoint%s, the newest of step %" PRIu64, count, count == 1 ? "" : "s", steps[0]);
    return true;
}

/* Collective over world. The newest of all, files and copies, that is valid. */
static bool from_newest(struct session *session, struct resume_copies *copies, const uint64_t *steps, size_t count,
                        struct error *error)
{
    for (size_t i = 0; i <= count; i++) {
        bool resumed;
        if (!resume_copies_try(session, copies, i < count ? steps[i] : 0, &resumed, error))
            return false;
        if (resumed) {
            session->saving.saved_step = i < count ? steps[i] : UINT64_MAX;
            return reject(session, steps, i, error);
        }
        if (i == count)
            break;
        if (resume_from(session, steps[i], error))
            return reject(session, steps, i, error);
        if (error->kind != ERROR_CORRUPT)
            return false;
        log_warn("not a valid checkpoint: %s", error->text);
    }
    if (count == 0)
        return session->options->branch ? branch_begin(session, error) : begin(session, steps, 0, error);
    return error_set(error, ERROR_CORRUPT,
                     "%s holds %zu checkpoint%s and none is valid (the last: %s); nothing was changed. To start anew: "
                     "--fresh --overwrite",
                     session->store.directory, count, count == 1 ? "" : "s", error->text);
}

/* Local; the same on every rank. Whether there is nothing that --fresh alone would take away. */
static bool nothing_is_lost(const struct session *session, const struct resume_copies *copies, const uint64_t *steps,
                            size_t count, struct error *error)
{
    uint64_t step = resume_copies_newest(copies);
    const char *where = session->store.directory, *what = "checkpoint";
    if (count > 0) {
        step = steps[0];
    } else if (step > 0) {
        where = session->job->copies.path;
        what = "set of copies";
        count = 1;
    }
    return count == 0 || error_set(error, ERROR_USAGE,
                                   "%s holds %zu %s%s, the newest of step %" PRIu64
                                   ": without --fresh the job goes on from there; --fresh --overwrite deletes them",
                                   where, count, what, count == 1 ? "" : "s", step);
}

bool resume(struct session *session, struct error *error)
{
    const struct session_options *options = session->options;
    struct resume_copies copies = {0};
    uint64_t *steps = NULL;
    size_t count = 0;
    bool ok = list_steps(session, &steps, &count, error) && resume_copies_look(session, steps, count, &copies, error) &&
              (!options->fresh || options->overwrite || nothing_is_lost(session, &copies, steps, count, error));
    if (ok && options->fresh)
        ok = begin(session, steps, count, error);
    else if (ok)
        ok = from_newest(session, &copies, steps, count, error);
    if (ok && session->step > 0 && options->init_from)
        log_warn("--init-from %s is not used: the job goes on from step %" PRIu64
                 "; to start anew: another run:, or --fresh --overwrite",
                 options->init_from, session->step);
    if (ok && options->branch && !session->restore->is_branch)
        log_info("--branch %s was made by an earlier start: the job goes on from step %" PRIu64, options->branch,
                 session->step);
    /* Copies that this start does not go on from, or does not see, are a branch that was left. */
    bool leaves_copies = !session->saving.copies.world || (copies.finds.count > 0 && !copies.resumed);
    if (ok && session->step > 0 && leaves_copies)
        session->record.lineage = strtoull(session->store.token, NULL, 16);
    if (ok)
        resume_copies_tidy(session, &copies);
    resume_copies_release(&copies);
    memory_free(steps);
    if (ok) {
        watchdog_begin_meeting("the ranks give each other the parameters", restore_patience_s(session->restore), false);
        exchange_distribute(session->learner.exchange);
        watchdog_end();
    }
    return ok;
}
