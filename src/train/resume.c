#include "train/resume.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "checkpoint/passport.h"
#include "checkpoint/reader.h"
#include "parallel/equality.h"
#include "train/length.h"
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

#define MODEL "/model/" /* where a checkpoint has the views of the model's tensors */

/* Local. The tensor of the model with this name, or NULL. */
static const struct tensor *find_here(const struct tensor_table *table, const char *name)
{
    for (size_t t = 0; t < table->length; t++)
        if (strcmp(table->tensors[t].name, name) == 0)
            return &table->tensors[t];
    return NULL;
}

/* Local. The view of the model's tensor with this name in a checkpoint, or NULL. */
static const struct reader_tensor *find_there(const struct reader_tensor *there, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(there[i].path, MODEL, strlen(MODEL)) == 0 && strcmp(there[i].path + strlen(MODEL), name) == 0)
            return &there[i];
    return NULL;
}

/* Local. Appends a line if the tensor differs; either may be NULL. */
static void compare_tensor(const char *name, const struct reader_tensor *there, const struct tensor *here,
                           struct text *differences)
{
    char saved[64] = "(none)", now[64] = "(none)";
    if (there)
        text_sizes(there->dims, there->shape, saved, sizeof saved);
    if (here)
        text_sizes(here->dims, here->shape, now, sizeof now);
    if (strcmp(saved, now) != 0)
        text_append(differences, "\n  tensor %s: %s in the checkpoint, %s here", name, saved, now);
}

/* Local. Appends a line for every tensor whose shape is not the same here and in the checkpoint. */
static bool compare_tensors(const struct session *session, const struct reader *reader, struct text *differences,
                            struct error *error)
{
    const struct tensor_table *table = &session->model.table;
    struct reader_tensor *there;
    size_t count;
    if (!reader_list_tensors(reader, &there, &count, error))
        return false;
    for (size_t t = 0; t < table->length; t++)
        compare_tensor(table->tensors[t].name, find_there(there, count, table->tensors[t].name), &table->tensors[t],
                       differences);
    for (size_t i = 0; i < count; i++)
        if (strncmp(there[i].path, MODEL, strlen(MODEL)) == 0 && !find_here(table, there[i].path + strlen(MODEL)))
            compare_tensor(there[i].path + strlen(MODEL), &there[i], NULL, differences);
    memory_free(there);
    return true;
}

/* Local. Logs each line of a list of changes: a warning where the result is another one, else a note. */
static void log_changes(const char *what, const struct text *changes, bool always_matters)
{
    for (const char *line = text_bytes(changes); *line; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");
        bool matters = always_matters || memmem(line, length, JOB_CHANGES_RESULT, strlen(JOB_CHANGES_RESULT));
        (matters ? log_warn : log_info)("%s: %.*s", what, (int)length, line);
    }
}

/* Local. Appends a line for everything else in which the checkpoint is not of this job. */
static void compare_rest(const struct session *session, const struct record *record, struct text *differences)
{
    if (record->data_digest != session->train.digest)
        text_append(differences,
                    "\n  data.train: content with digest %016" PRIx64 " in the checkpoint, other content (%016" PRIx64
                    ") here",
                    record->data_digest, session->train.digest);
    if (record->step > session->steps && session->job->train.steps > 0)
        text_append(differences, "\n  train.steps: %" PRIu64 " are done in the checkpoint, %" PRIu64 " are wanted here",
                    record->step, session->steps);
    else if (record->step > session->steps)
        text_append(differences, "\n  train.epochs: %.2f are done in the checkpoint, %g are wanted here", record->epoch,
                    session->job->train.epochs);
}

/* Local. Which samples come next, and with which step the job ends: both hang on the batches so far. */
static bool take_position(struct session *session, const struct record *record, const struct job *saved,
                          struct error *error)
{
    struct sampler *sampler = &session->sampler;
    sampler->batch = saved->train.batch;
    sampler->first_step = record->history.sampler_step;
    sampler->first_sample = record->history.sampler_sample;
    sampler_change_batch(sampler, record->step, session->job->train.batch);
    return length_steps(session->job, sampler, &session->steps, error);
}

bool resume_may_continue(struct session *session, const char *name, const struct record *record,
                         const struct reader *reader, struct text *changes, struct text *remark, struct error *error)
{
    struct job saved;
    struct text more;
    if (!job_parse_saved(&saved, "the checkpoint's job", record->job, NULL, 0, error))
        return error_prefix(error, "%s: ", name);
    if (!take_position(session, record, &saved, error)) {
        job_release(&saved);
        return false;
    }
    text_init(&more);
    length_explain(&saved, session->job, remark);
    bool same_job = job_continues(&saved, session->job, &session->options->allowed, changes, error);
    struct error unreadable;
    /* The tensors of the same job are the same: the views are looked at only for the words of a refusal. In a file
     * without a seal (reader->sealed) nothing proves them, and a damaged one can lead HDF5 1.10 round for ever. */
    bool ok = same_job || !reader || compare_tensors(session, reader, &more, &unreadable);
    compare_rest(session, record, &more);
    if (!ok)
        *error = unreadable;
    else if (!same_job || more.length > 0)
        ok = error_set(error, ERROR_USAGE, "%s: %s%s\n  To start anew: another run:, or --fresh --overwrite", name,
                       same_job ? "this job contradicts the checkpoint:" : error->text, text_bytes(&more));
    text_release(&more);
    session->kept_every = saved.checkpoint.keep_every;
    job_release(&saved);
    return ok;
}

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
    struct state *state = &session->state;
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

void resume_take_over(struct session *session, struct record *record, const struct text *job_changes,
                      const struct text *remark)
{
    struct text changes;
    text_init(&changes);
    log_changes("changed on resume", job_changes, false);
    if (remark->length > 0)
        log_warn("%s", text_bytes(remark));
    passport_compare(record->passport, text_bytes(&session->passport), &changes);
    log_changes("passport changed, training continues to rounding, not to the bit", &changes, true);
    text_release(&changes);
    record_release(&session->record);
    session->record = *record;
    *record = (struct record){0};
    session->step = session->record.step;
    session->loss = session->record.loss;
    session->record.history.sampler_step = session->sampler.first_step;
    session->record.history.sampler_sample = session->sampler.first_sample;
    text_append(&session->changes, "%s", text_bytes(job_changes));
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
    double patience_s = patience_of(&session->patience, PATIENCE_RESTORE);
    council_begin(&session->council);
    ok = council_agree(&session->council, ok, patience_s, "opening the checkpoint", NULL, error) &&
         is_one_file(session, &reader.record, error);
    if (ok)
        fault_at(FAULT_RESTORE_OPENED, step);
    ok = ok && council_agree(&session->council,
                             resume_may_continue(session, path, &reader.record, &reader, &job_changes, &remark, error),
                             patience_s, "the comparison with the checkpoint", NULL, error);
    ok = ok && council_agree(&session->council, load_shard(session, &reader, error), patience_s,
                             "reading its part of the checkpoint", NULL, error);
    if (ok) {
        fault_at(FAULT_RESTORE_LOADED, step);
        resume_take_over(session, &reader.record, &job_changes, &remark);
        session->saved_step = step;
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
    session->saved_step = UINT64_MAX;
    session->record.lineage = strtoull(session->store.token, NULL, 16);
    float *params = session_params(session) + session->shard.first;
    tensor_table_fill(&session->model.table, session->job->seed, session->shard.first, session->shard.count, params);
    for (size_t k = 0; k < OPTIMIZER_MOMENTS && session->used.moments[k]; k++) /* after copies that did not fit */
        memset(session->used.moments[k], 0, session->shard.count * sizeof *params);
    if (session->used.average)
        memcpy(session->used.average, params, session->shard.count * sizeof *params);
}

/* Collective over world. Rank 0's list of steps, on every rank. */
static bool list_steps(struct session *session, uint64_t **steps, size_t *count, struct error *error)
{
    bool ok = session->world->rank != 0 || store_list(&session->store, steps, count, error);
    if (!session_agree(session, ok, "the list of checkpoints", error))
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
    return session_agree(session, ok, "putting invalid checkpoints aside", error);
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
    if (!session_agree(session, ok, "deleting the checkpoints", error))
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
            session->saved_step = i < count ? steps[i] : UINT64_MAX;
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
    bool leaves_copies = !session->local.world || (copies.finds.count > 0 && !copies.resumed);
    if (ok && session->step > 0 && leaves_copies)
        session->record.lineage = strtoull(session->store.token, NULL, 16);
    if (ok)
        resume_copies_tidy(session, &copies);
    resume_copies_release(&copies);
    memory_free(steps);
    if (ok) {
        watchdog_begin_meeting("the ranks give each other the parameters",
                               patience_of(&session->patience, PATIENCE_RESTORE), false);
        exchange_distribute(session->exchange);
        watchdog_end();
    }
    return ok;
}
