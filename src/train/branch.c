#include "train/branch.h"

#include "base/log.h"
#include "base/memory.h"
#include "checkpoint/locate.h"
#include "checkpoint/reason.h"
#include "train/restore.h"
#include "train/resume_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Collective over world. The file that is meant: what is the newest, or the best, may change meanwhile. */
static bool find(struct session *session, char path[PATH_MAX], struct error *error)
{
    bool ok = session->world->rank != 0 || locate_checkpoint(session->options->branch, path, error);
    if (!ok && error->kind == ERROR_NOT_FOUND) /* as with a job file that is not there: the request is wrong */
        error->kind = ERROR_USAGE;
    if (!restore_agree(session->restore, ok, "looking for the checkpoint to branch from", error))
        return false;
    world_share(session->world, path, PATH_MAX);
    return true;
}

/* Local. Writes down where it comes from, and from where that came. */
static void set_origin(const char *word, struct record *record)
{
    struct text origin;
    text_init(&origin);
    text_append(&origin, RECORD_BRANCH "%s (step %" PRIu64 ", fingerprint %016" PRIx64 ")", word, record->step,
                record->fingerprint);
    if (record->origin && *record->origin)
        text_append(&origin, ", which began with %s", record->origin);
    memory_free(record->origin);
    record->origin = memory_text(text_bytes(&origin));
    text_release(&origin);
}

/* Local. The life that wrote the checkpoint may go on, but not here: it was not interrupted. */
static void end_segment(struct segment *last)
{
    if (reason_of(last->end) == REASON_RUNNING)
        snprintf(last->end, sizeof last->end, "%s", reason_words[REASON_BRANCHED]);
}

bool branch_begin(struct session *session, struct error *error)
{
    char path[PATH_MAX];
    struct record *record = &session->record;
    session->restore->is_branch = true;
    if (!find(session, path, error) || !resume_file(session, path, error))
        return error_prefix(error, "--branch: ");
    set_origin(session->options->branch, record);
    end_segment(&record->segments[record->segment_count - 1]);
    record->lineage = strtoull(session->store.token, NULL, 16);
    session->saving.saved_step = UINT64_MAX;
    log_info("%s", record->origin);
    return true;
}
