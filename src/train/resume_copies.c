#include "train/resume_copies.h"

#include "base/file.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "checkpoint/local_load.h"
#include "checkpoint/reader.h"
#include "train/resume.h"
#include "train/run_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool resume_write_lineage(const struct session *session, struct error *error)
{
    char path[PATH_MAX], text[24];
    run_file_path(session->job->run, RUN_LINEAGE, path);
    int length = snprintf(text, sizeof text, "%016" PRIx64 "\n", session->record.lineage);
    return file_replace(path, text, (size_t)length, error);
}

/* Local, rank 0. What the last start has left; else that of the newest file that opens. */
static bool find_lineage(const struct session *session, const uint64_t *steps, size_t count, uint64_t *lineage)
{
    char path[PATH_MAX], *text, *end;
    struct error error;
    size_t bytes;
    run_file_path(session->job->run, RUN_LINEAGE, path);
    if (file_read_own(path, FILE_NOTE_MOST, &text, &bytes, &error)) {
        *lineage = strtoull(text, &end, 16);
        bool whole = end - text == 16 && *end == '\n';
        free(text);
        if (whole)
            return true;
    }
    for (size_t i = 0; i < count; i++) {
        struct reader reader;
        store_path(&session->store, steps[i], path);
        if (!reader_open(&reader, path, &error))
            continue;
        *lineage = reader.record.lineage;
        reader_close(&reader);
        return true;
    }
    return false;
}

bool resume_copies_look(struct session *session, const uint64_t *steps, size_t count, struct resume_copies *copies,
                        struct error *error)
{
    double patience_s = patience_of(&session->patience, PATIENCE_RESTORE);
    *copies = (struct resume_copies){0};
    if (!session->local.world)
        return true;
    if (!local_look(&session->local, &session->council, patience_s, &copies->finds, error))
        return false;
    if (copies->finds.count == 0)
        return true;
    watchdog_begin(session->store.directory, patience_s);
    bool known = session->world->rank == 0 && find_lineage(session, steps, count, &copies->lineage);
    watchdog_end();
    if (!session_agree(session, true, "looking for what the copies belong to", error))
        return false;
    copies->known = world_share_number(session->world, known);
    copies->lineage = world_share_number(session->world, copies->lineage);
    return true;
}

uint64_t resume_copies_newest(const struct resume_copies *copies)
{
    const struct piece_set *set = copies->known ? local_newest(&copies->finds, copies->lineage, 0) : NULL;
    return set ? set->step : 0;
}

/* Collective. From a set that has been taken; its arrays are proven, but the job may not fit. */
static bool go_on_from(struct session *session, struct local_set *set, struct error *error)
{
    double patience_s = patience_of(&session->patience, PATIENCE_RESTORE);
    char name[64];
    struct text changes, remark;
    snprintf(name, sizeof name, "the copies of step %" PRIu64, set->id.step);
    text_init(&changes);
    text_init(&remark);
    council_begin(&session->council);
    bool ok = resume_may_continue(session, name, &set->record, NULL, &changes, &remark, error);
    ok = council_agree(&session->council, ok, patience_s, "the comparison with the copies", NULL, error) &&
         local_deliver(&session->local, &session->council, patience_s, set, &session->state, error);
    if (ok)
        resume_take_over(session, &set->record, &changes, &remark);
    text_release(&changes);
    text_release(&remark);
    return ok;
}

bool resume_copies_try(struct session *session, struct resume_copies *copies, uint64_t beyond, bool *resumed,
                       struct error *error)
{
    double patience_s = patience_of(&session->patience, PATIENCE_RESTORE);
    *resumed = false;
    while (copies->known && local_newest(&copies->finds, copies->lineage, beyond)) {
        struct local_set set;
        if (!local_take(&session->local, &session->council, patience_s, &copies->finds, copies->lineage, beyond, &set,
                        error)) {
            if (error->kind == ERROR_NOT_FOUND)
                break;
            return false;
        }
        *resumed = copies->resumed = go_on_from(session, &set, error);
        if (!*resumed)
            local_spoil(&copies->finds, &set.id);
        if (!*resumed && error->kind == ERROR_LATE) /* its memory may still be on its way to another rank */
            return false;
        local_set_release(&set);
        if (*resumed)
            break;
        if (error->kind != ERROR_CORRUPT)
            return false;
        log_warn("not used: %s", error->text);
    }
    return true;
}

void resume_copies_tidy(struct session *session, const struct resume_copies *copies)
{
    for (const char *line = text_bytes(&copies->finds.complaints); *line; line += strcspn(line, "\n") + 1)
        log_warn("not a good copy: %.*s", (int)strcspn(line, "\n"), line);
    if (copies->resumed)
        log_info("resumed from the copies of step %" PRIu64 " on the nodes, below %s", session->step,
                 session->job->copies.path);
    else if (copies->finds.count > 0 && session->options->overwrite)
        log_info("the copies on the nodes are deleted, as --overwrite says");
    else if (copies->finds.count > 0)
        log_info("the copies on the nodes are not used: none is whole, of this job, and newer than the checkpoint");
    session->renew_copies = copies->resumed;
    session->local.complete = copies->resumed ? session->step : 0;
    local_keep(&session->local, session->local.complete, 0);
}

void resume_copies_release(struct resume_copies *copies)
{
    local_finds_release(&copies->finds);
    *copies = (struct resume_copies){0};
}
