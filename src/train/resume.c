#include "train/resume.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "checkpoint/reader.h"
#include "checkpoint/store_name.h"
#include "parallel/equality.h"
#include "train/continuation.h"
#include "train/restore.h"
#include "train/resume_copies.h"
#include "train/warm_start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Local. Whether the tensors of a file are those of the model, at the same places. */
static bool has_tensors_of(const struct record_layout *layout, const struct state *state)
{
    bool same = layout->tensor_count == state->tensor_count;
    for (size_t t = 0; same && t < state->tensor_count; t++) {
        const struct state_tensor *found = NULL, *own = &state->tensors[t];
        for (size_t i = 0; !found && i < layout->tensor_count; i++)
            if (strcmp(layout->tensors[i].name, own->name) == 0)
                found = &layout->tensors[i];
        same = found && found->offset == own->offset && found->dims == own->dims &&
               memcmp(found->shape, own->shape, own->dims * sizeof *own->shape) == 0;
    }
    return same;
}

/* Local. This rank's shard of every array. */
static bool load_shard(struct session *session, const struct reader *reader, struct error *error)
{
    struct state *state = &session->learner.state;
    if (reader->count != state->count || reader->array_count != state->array_count ||
        !has_tensors_of(&reader->layout, state))
        return error_set(error, ERROR_VERSION,
                         "%s: its arrays do not fit its own job: was it written by another lockstep?", reader->path);
    for (size_t a = 0; a < state->array_count; a++) {
        if (strcmp(reader->names[a], state->arrays[a].name) != 0)
            return error_set(error, ERROR_VERSION, "%s: array %s where %s should be", reader->path, reader->names[a],
                             state->arrays[a].name);
        if (!reader_load(reader, a, state->shard.first, state->shard.count, state->arrays[a].values, error))
            return false;
    }
    return true;
}

/* Local. Whether somebody has the file open for writing: HDF5 locks it then, and marks it, which breaks the seal until
 * it is closed. That is no damage. */
static bool is_being_written(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool busy = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return busy;
}

/* Collective over world. Each rank has opened the path by itself: it has to be one file. */
static bool is_one_file(const struct session *session, const struct record *record, struct error *error)
{
    char value[120];
    snprintf(value, sizeof value,
             "step %" PRIu64 ", fingerprint %016" PRIx64 ", lineage %016" PRIx64 ", saved %" PRId64, record->step,
             record->fingerprint, record->lineage, record->saved_unix);
    const struct equality_item item = {"the checkpoint", value, "The run directory has to be one that all nodes share",
                                       false};
    return equality_check(session->world, &item, 1, error);
}

/* Collective over world. One attempt. */
static bool resume_from(struct session *session, uint64_t step, struct error *error)
{
    char path[PATH_MAX];
    struct reader reader = {0};
    struct text job_changes, remark;
    text_init(&job_changes);
    text_init(&remark);
    store_path(&session->store, step, path);
    bool ok = reader_open(&reader, path, error);
    if (!ok && error->kind == ERROR_CORRUPT && is_being_written(path))
        error_set(error, ERROR_BUSY, "%s: another program has it open for writing: close it there", path);
    ok = ok && store_check_name(path, reader.record.step, error);
    double patience_s = restore_patience_s(session->restore);
    agreement_begin(&session->restore->agreement);
    ok = agreement_agree(&session->restore->agreement, ok, patience_s, "opening the checkpoint", NULL, error) &&
         is_one_file(session, &reader.record, error);
    if (ok)
        fault_at(FAULT_RESTORE_OPENED, step);
    ok = ok && agreement_agree(&session->restore->agreement,
                               continuation_check(session, path, &reader.record, &reader, &job_changes, &remark, error),
                               patience_s, "the comparison with the checkpoint", NULL, error);
    ok = ok && agreement_agree(&session->restore->agreement, load_shard(session, &reader, error), patience_s,
                               "reading its part of the checkpoint", NULL, error);
    if (ok) {
        fault_at(FAULT_RESTORE_LOADED, step);
        continuation_take(session, &reader.record, &job_changes, &remark);
        session->saving.saved_step = step;
        log_info("resumed from %s", path);
    }
    text_release(&job_changes);
    text_release(&remark);
    reader_close(&reader);
    return ok;
}

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
        return begin(session, steps, 0, error);
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
