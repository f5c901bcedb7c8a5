#include "train/resume_copies.h"

#include "base/log.h"
#include "base/watchdog.h"
#include "checkpoint/copies/copies_load.h"
#include "run/lineage.h"
#include "train/continuation.h"
#include "train/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool resume_copies_look(struct session *session, const uint64_t *steps, size_t count, struct resume_copies *found,
                        struct error *error)
{
    double patience_s = restore_patience_s(session->restore);
    *found = (struct resume_copies){0};
    if (!session->saving.copies.world)
        return true;
    if (!copies_look(&session->saving.copies, &session->restore->agreement, patience_s, &found->finds, error))
        return false;
    if (found->finds.count == 0)
        return true;
    watchdog_begin(session->store.directory, patience_s);
    bool known = session->world->rank == 0 &&
                 lineage_find(session->job->run, &session->store, steps, count, &found->lineage);
    watchdog_end();
    if (!restore_agree(session->restore, true, "looking for what the copies belong to", error))
        return false;
    found->known = world_share_number(session->world, known);
    found->lineage = world_share_number(session->world, found->lineage);
    return true;
}

uint64_t resume_copies_newest(const struct resume_copies *found)
{
    const struct piece_set *set = found->known ? copies_newest(&found->finds, found->lineage, 0) : NULL;
    return set ? set->step : 0;
}

/* Collective. From a set that has been taken; its arrays are proven, but the job may not fit. */
static bool go_on_from(struct session *session, struct copies_set *set, struct error *error)
{
    double patience_s = restore_patience_s(session->restore);
    char name[64];
    struct text changes, remark;
    snprintf(name, sizeof name, "the copies of step %" PRIu64, set->id.step);
    text_init(&changes);
    text_init(&remark);
    agreement_begin(&session->restore->agreement);
    bool ok = continuation_check(session, name, &set->record, NULL, &changes, &remark, error);
    ok = agreement_agree(&session->restore->agreement, ok, patience_s, "the comparison with the copies", NULL, error) &&
         copies_deliver(&session->saving.copies, &session->restore->agreement, patience_s, set, &session->learner.state,
                        error);
    if (ok)
        continuation_take(session, &set->record, &changes, &remark);
    text_release(&changes);
    text_release(&remark);
    return ok;
}

bool resume_copies_try(struct session *session, struct resume_copies *found, uint64_t beyond, bool *resumed,
                       struct error *error)
{
    double patience_s = restore_patience_s(session->restore);
    *resumed = false;
    while (found->known && copies_newest(&found->finds, found->lineage, beyond)) {
        struct copies_set set;
        if (!copies_take(&session->saving.copies, &session->restore->agreement, patience_s, &found->finds,
                         found->lineage, beyond, &set, error)) {
            if (error->kind == ERROR_NOT_FOUND)
                break;
            return false;
        }
        *resumed = found->resumed = go_on_from(session, &set, error);
        if (!*resumed)
            copies_spoil(&found->finds, &set.id);
        if (!*resumed && error->kind == ERROR_LATE) /* its memory may still be on its way to another rank */
            return false;
        copies_set_release(&set);
        if (*resumed)
            break;
        if (error->kind != ERROR_CORRUPT)
            return false;
        log_warn("not used: %s", error->text);
    }
    return true;
}

void resume_copies_tidy(struct session *session, const struct resume_copies *found)
{
    for (const char *line = text_bytes(&found->finds.complaints); *line; line += strcspn(line, "\n") + 1)
        log_warn("not a good copy: %.*s", (int)strcspn(line, "\n"), line);
    if (found->resumed)
        log_info("resumed from the copies of step %" PRIu64 " on the nodes, below %s", session->step,
                 session->job->copies.path);
    else if (found->finds.count > 0 && session->options->overwrite)
        log_info("the copies on the nodes are deleted, as --overwrite says");
    else if (found->finds.count > 0)
        log_info("the copies on the nodes are not used: none is whole, of this job, and newer than the checkpoint");
    session->saving.renew_copies = found->resumed;
    session->saving.copies.complete = found->resumed ? session->step : 0;
    copies_keep(&session->saving.copies, session->saving.copies.complete, 0);
}

void resume_copies_release(struct resume_copies *found)
{
    copies_finds_release(&found->finds);
    *found = (struct resume_copies){0};
}
