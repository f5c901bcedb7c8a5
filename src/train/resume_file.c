#include "train/resume_file.h"

#include "base/fault.h"
#include "base/log.h"
#include "checkpoint/reader.h"
#include "checkpoint/store_name.h"
#include "parallel/equality.h"
#include "train/continuation.h"
#include "train/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
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

bool resume_file(struct session *session, const char *path, struct error *error)
{
    struct reader reader = {0};
    struct text job_changes, remark;
    text_init(&job_changes);
    text_init(&remark);
    bool ok = reader_open(&reader, path, error);
    if (!ok && error->kind == ERROR_CORRUPT && is_being_written(path))
        error_set(error, ERROR_BUSY, "%s: another program has it open for writing: close it there", path);
    ok = ok && store_check_name(path, reader.record.step, error);
    double patience_s = restore_patience_s(session->restore);
    agreement_begin(&session->restore->agreement);
    ok = agreement_agree(&session->restore->agreement, ok, patience_s, "opening the checkpoint", NULL, error) &&
         is_one_file(session, &reader.record, error);
    if (ok)
        fault_at(FAULT_RESTORE_OPENED, reader.record.step);
    ok = ok && agreement_agree(&session->restore->agreement,
                               continuation_check(session, path, &reader.record, &reader, &job_changes, &remark, error),
                               patience_s, "the comparison with the checkpoint", NULL, error);
    ok = ok && agreement_agree(&session->restore->agreement, load_shard(session, &reader, error), patience_s,
                               "reading its part of the checkpoint", NULL, error);
    if (ok) {
        fault_at(FAULT_RESTORE_LOADED, reader.record.step);
        continuation_take(session, &reader.record, &job_changes, &remark);
        log_info("resumed from %s", path);
    }
    text_release(&job_changes);
    text_release(&remark);
    reader_close(&reader);
    return ok;
}
