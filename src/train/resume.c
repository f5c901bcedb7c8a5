#include "train/resume.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "checkpoint/passport.h"
#include "checkpoint/reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Local. The tensors here and in the file, name by name: a contradiction is told with both shapes. */
static bool same_tensors(const struct session *session, const struct reader *reader, struct error *error)
{
    struct reader_tensor *there;
    size_t count, offset = strlen("/model/");
    if (!reader_list_tensors(reader, &there, &count, error))
        return false;
    struct text differences;
    text_init(&differences);
    const struct tensor_table *table = &session->model.table;
    for (size_t t = 0; t < table->length; t++) {
        char here[64], saved[64] = "(none)";
        tensor_shape_text(&table->tensors[t], here, sizeof here);
        for (size_t i = 0; i < count; i++)
            if (strncmp(there[i].path, "/model/", offset) == 0 &&
                strcmp(there[i].path + offset, table->tensors[t].name) == 0) {
                struct tensor shape = {.dims = there[i].dims};
                memcpy(shape.shape, there[i].shape, sizeof shape.shape);
                tensor_shape_text(&shape, saved, sizeof saved);
            }
        if (strcmp(here, saved) != 0)
            text_append(&differences, "\n  tensor %s: %s in the checkpoint, %s here", table->tensors[t].name, saved,
                        here);
    }
    for (size_t i = 0; i < count; i++) {
        bool known = strncmp(there[i].path, "/model/", offset) != 0;
        for (size_t t = 0; !known && t < table->length; t++)
            known = strcmp(there[i].path + offset, table->tensors[t].name) == 0;
        if (!known) {
            char saved[64];
            struct tensor shape = {.dims = there[i].dims};
            memcpy(shape.shape, there[i].shape, sizeof shape.shape);
            tensor_shape_text(&shape, saved, sizeof saved);
            text_append(&differences, "\n  tensor %s: %s in the checkpoint, (none) here", there[i].path + offset,
                        saved);
        }
    }
    bool ok = differences.length == 0 || error_set(error, ERROR_USAGE, "%s", text_bytes(&differences));
    text_release(&differences);
    memory_free(there);
    return ok;
}

/* Local. Logs each line of a list of changes. */
static void log_changes(const char *what, const struct text *changes)
{
    for (const char *line = text_bytes(changes); *line; line += strcspn(line, "\n") + 1)
        log_warn("%s: %.*s", what, (int)strcspn(line, "\n"), line);
}

/* Local. Whether this job may go on from the checkpoint; what it changes is logged. */
static bool may_continue(const struct session *session, const struct reader *reader, struct error *error)
{
    struct job saved;
    struct text changes;
    struct error tensors;
    text_init(&changes);
    if (!job_parse(&saved, "the checkpoint's job", reader->record.job, NULL, 0, error))
        return error_prefix(error, "%s: ", reader->path);
    bool ok = job_continues(&saved, session->job, &changes, error);
    if (!same_tensors(session, reader, &tensors)) {
        ok = ok ? error_set(error, ERROR_USAGE, "this job contradicts the checkpoint:%s", tensors.text)
                : error_set(error, ERROR_USAGE, "%s%s", error->text, tensors.text);
    }
    if (ok && reader->record.data_digest != session->train.digest)
        ok = error_set(error, ERROR_USAGE,
                       "this job contradicts the checkpoint:\n  data.train: its content has digest %016" PRIx64
                       " in the checkpoint, %016" PRIx64 " here: it is other data",
                       reader->record.data_digest, session->train.digest);
    if (ok && reader->record.step > session->job->train.steps)
        ok = error_set(error, ERROR_USAGE,
                       "train.steps is %" PRIu64 ", but the checkpoint is of step %" PRIu64 " already",
                       session->job->train.steps, reader->record.step);
    if (ok)
        log_changes("changed on resume", &changes);
    else
        error_set(error, ERROR_USAGE, "%s: %s\nTo start anew: another run:, or --fresh --overwrite", reader->path,
                  error->text);
    text_release(&changes);
    job_release(&saved);
    return ok;
}

/* Local. This rank's shard of every array. */
static bool load_shard(struct session *session, const struct reader *reader, struct error *error)
{
    struct state *state = &session->state;
    if (reader->count != state->count || reader->array_count != state->array_count)
        return error_set(error, ERROR_CORRUPT, "%s: its arrays do not fit its own job", reader->path);
    for (size_t a = 0; a < state->array_count; a++) {
        if (strcmp(reader->names[a], state->arrays[a].name) != 0)
            return error_set(error, ERROR_CORRUPT, "%s: array %s where %s should be", reader->path, reader->names[a],
                             state->arrays[a].name);
        if (!reader_load(reader, a, state->shard.first, state->shard.count, state->arrays[a].values, error))
            return false;
    }
    return true;
}

/* Local. What the session has to know of the past. */
static void take_over(struct session *session, struct reader *reader)
{
    record_release(&session->record);
    session->record = reader->record;
    memset(&reader->record, 0, sizeof reader->record);
    session->step = session->record.step;
    session->loss = session->record.loss;
    session->saved_step = session->record.step;
}

/* Collective over world. One attempt. */
static bool resume_from(struct session *session, uint64_t step, struct error *error)
{
    char path[PATH_MAX];
    struct reader reader = {.file = -1};
    store_path(&session->store, step, path);
    bool ok = world_agree(session->world, reader_open(&reader, path, error), error);
    if (ok && reader.record.step != step)
        ok = error_set(error, ERROR_CORRUPT, "%s: it holds step %" PRIu64, path, reader.record.step);
    ok = ok && world_agree(session->world, may_continue(session, &reader, error), error);
    ok = ok && world_agree(session->world, load_shard(session, &reader, error), error);
    if (ok) {
        struct text changes;
        text_init(&changes);
        passport_compare(reader.record.passport, text_bytes(&session->passport), &changes);
        log_changes("passport changed, training continues to rounding, not to the bit", &changes);
        text_release(&changes);
        take_over(session, &reader);
        log_info("resumed from %s", path);
    }
    reader_close(&reader);
    return ok;
}

static void start_anew(struct session *session)
{
    session->step = 0;
    session->loss = NAN;
    session->saved_step = UINT64_MAX;
    tensor_table_fill(&session->model.table, session->job->seed, session->shard.first, session->shard.count,
                      session_params(session) + session->shard.first);
}

/* Collective over world. Rank 0's list of steps, on every rank. */
static bool list_steps(struct session *session, uint64_t **steps, size_t *count, struct error *error)
{
    bool ok = session->world->rank != 0 || store_list(&session->store, steps, count, error);
    if (!world_agree(session->world, ok, error))
        return false;
    size_t bytes = *count * sizeof **steps;
    world_share_bytes(session->world, (char **)steps, &bytes);
    *count = bytes / sizeof **steps;
    return true;
}

static bool from_newest(struct session *session, const uint64_t *steps, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (resume_from(session, steps[i], error))
            return true;
        if (error->kind != ERROR_CORRUPT)
            return false;
        log_warn("not valid, taking the next older one: %s", error->text);
    }
    return error_set(error, ERROR_CORRUPT,
                     "%s holds %zu checkpoint%s and none is valid (the last: %s); nothing was changed. To start anew: "
                     "--fresh --overwrite",
                     session->store.directory, count, count == 1 ? "" : "s", error->text);
}

bool resume(struct session *session, struct error *error)
{
    uint64_t *steps = NULL;
    size_t count = 0;
    bool ok = list_steps(session, &steps, &count, error);
    if (ok && count > 0 && session->options->fresh) {
        if (!session->options->overwrite)
            ok = error_set(error, ERROR_USAGE,
                           "%s holds %zu checkpoint%s, the newest of step %" PRIu64
                           ": without --fresh the job goes on from there; --fresh --overwrite deletes them",
                           session->store.directory, count, count == 1 ? "" : "s", steps[0]);
        else
            ok = world_agree(session->world, session->world->rank != 0 || store_clear(&session->store, error), error);
        count = 0;
    }
    if (ok && count > 0)
        ok = from_newest(session, steps, count, error);
    else if (ok)
        start_anew(session);
    memory_free(steps);
    if (ok)
        exchange_distribute(session->exchange);
    return ok;
}
