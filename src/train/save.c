#include "train/save.h"

#include "base/clock.h"
#include "base/timeline.h"
#include "base/wait.h"
#include "checkpoint/reason.h"
#include "parallel/promise.h"
#include "policy/best.h"
#include "policy/cadence.h"
#include "policy/flags.h"
#include "policy/skipped.h"
#include "train/data_watch.h"
#include "train/keep_every.h"
#include "train/memory_watch.h"
#include "train/progress.h"
#include "train/run_directory.h"

#include <inttypes.h>
#include <stdio.h>

#define RETRY_STEPS 10 /* to the first attempt after a failed save; then twice as many, and so on */

/* Collective. Whether nothing is known against the state of this step. */
static bool may_be_saved(struct session *session, struct error *error)
{
    return data_watch_agree(session, error) && memory_watch_agree(session, error);
}

/* Brings the record to this step. */
static void update_record(struct session *session, const char *end)
{
    struct record *record = &session->record;
    record->epoch = sampler_epoch(&session->data.sampler, session->step);
    record->loss = session->loss;
    record->saved_unix = clock_unix();
    struct segment *segment = &record->segments[record->segment_count - 1];
    segment->last_step = session->step;
    segment->saved_unix = record->saved_unix;
    snprintf(segment->end, sizeof segment->end, "%s", end);
}

/* Into the record. That it stands in the place of one that was to stay is what a start looks for (run_directory.c). */
static void tell_why(struct session *session, unsigned reasons, unsigned owed, const char *end)
{
    struct text why;
    uint64_t every = session->job->checkpoint.keep_every;
    text_init(&why);
    if (reasons == 0) {
        if (every == 0 || session->step % every == 0) /* it stays by its step */
            owed = 0;
        text_append(&why, "%s%s", end, owed ? "+" : "");
    }
    cadence_words(reasons | owed, &why);
    snprintf(session->record.why, sizeof session->record.why, "%s", text_bytes(&why));
    text_release(&why);
}

/* reasons: 0 if the job leaves, or for copies on the nodes. end: of the segment, as long as this is its last save.
 * copies: where they go; NULL: a file. */
static void begin(struct session *session, unsigned reasons, const char *end, struct copies *copies)
{
    timeline_begin(MARK_BEGIN_SAVE);
    bool is_sound = skipped_is_sound(session->job, &session->record.history, session->step);
    unsigned owed = !copies && is_sound ? session->saving.owed : 0;
    tell_why(session, reasons, owed, end);
    session->saving.now = (struct save){.runs = true,
                                        .has_arrays = saver_is_background(session->saving.saver),
                                        .is_copy = copies != NULL,
                                        .step = session->step};
    if (!copies) {
        session->saving.now.reasons = reasons | owed;
        session->saving.owed &= ~owed;
        cadence_begin(&session->cadence, clock_seconds());
        session->saving.retry_step = 0; /* this is the next attempt */
    }
    best_retain(session->job, &session->record.history, &session->saving.now.retention);
    update_record(session, end);
    if (session->world->rank == 0)
        run_directory_keep(session);
    struct saver_work work = {
        .state = session->learner.state,
        .step = session->step,
        .record = session->record,
        .retention = session->saving.now.retention,
        .replica = learner_params(&session->learner),
        .descriptor = session->metrics.descriptor,
        .copies = copies,
    };
    saver_begin(session->saving.saver, &work);
    timeline_end();
}

/* Collective. Why the save that runs is taken for lost: in the words of a rank that has given it up. */
static void tell_late(const struct session *session, struct error *error)
{
    enum saver_state state = saver_look(session->saving.saver);
    if (state == SAVER_LATE)
        saver_tell_late(session->saving.saver, error);
    if (world_agree(session->world, state != SAVER_LATE, error)) /* nobody: a single rank whose disk hangs */
        error_set(error, ERROR_LATE, "the disk does not answer");
    error->kind = ERROR_LATE;
}

/* Collective. Waits until no rank works on the save that runs. False if one hangs over it: ERROR_LATE. */
static bool await(struct session *session, struct error *error)
{
    struct wait wait = wait_begin(session->saving.now.late ? 0 : saver_limit(session->saving.saver));
    for (;;) {
        unsigned own = save_flags(session);
        if (session->saving.now.is_copy) /* without them there would be no save: they get all the time */
            own &= ~(unsigned)SAVER_IS_LATE;
        if (wait_is_over(&wait) && (own & SAVER_IS_BUSY))
            own |= SAVER_IS_LATE;
        unsigned all = world_union(session->world, own);
        if (!(all & SAVER_IS_BUSY))
            return true;
        if (all & SAVER_IS_LATE) {
            save_note_late(session, all);
            tell_late(session, error);
            return false;
        }
        wait_nap(&wait);
    }
}

bool save_begin(struct session *session, unsigned reasons, struct error *error)
{
    struct error late;
    double start = clock_seconds();
    PROMISE_EQUAL(session->world, reasons);
    if (!may_be_saved(session, error))
        return false;
    if (session->saving.now.runs && !await(session, &late)) {
        if (session->saving.now.is_copy) { /* a job that cannot save any more is better started again */
            *error = late;
            return error_prefix(error, "step %" PRIu64 " cannot be saved behind the copies of step %" PRIu64 ": ",
                                session->step, session->saving.now.step);
        }
        session->saving.retry_step = session->step + RETRY_STEPS;
        session->saving.owed |= reasons & SAVE_KEEP;
        if (reasons & SAVE_BEST)
            best_forget(&session->record.history, session->step);
        return true;
    }
    if (!save_settle(session, error))
        return false;
    begin(session, reasons, reason_words[REASON_RUNNING], NULL);
    session->saving.now.stall_s = clock_seconds() - start;
    return saver_is_background(session->saving.saver) || save_settle(session, error);
}

bool save_has_step(const struct session *session)
{
    const struct save *save = &session->saving.now;
    return session->saving.saved_step == session->step || (save->runs && !save->is_copy && save->step == session->step);
}

void save_copies(struct session *session)
{
    uint64_t every = session->job->copies.every;
    bool due = every > 0 && (session->step % every == 0 || session->saving.renew_copies);
    bool may = session->record.history.skipped_row == 0 || skipped_select(SAVE_COPIES, SKIPPED_SAVES);
    if (!due || !may || session->saving.no_copies || session->saving.now.runs)
        return;
    struct error error;
    if (!may_be_saved(session, &error)) /* the next step says so */
        return;
    begin(session, 0, reason_words[REASON_RUNNING], &session->saving.copies);
}

unsigned save_flags(const struct session *session)
{
    static const unsigned flags[] = {[SAVER_IDLE] = 0, [SAVER_BUSY] = SAVER_IS_BUSY, [SAVER_LATE] = SAVER_IS_LATE};
    enum saver_state state = saver_look(session->saving.saver);
    return session->saving.now.runs ? flags[state] : 0;
}

void save_note_late(struct session *session, unsigned flags)
{
    struct error error;
    if (session->saving.now.late || !(flags & SAVER_IS_LATE) || !(flags & SAVER_IS_BUSY))
        return;
    session->saving.now.late = true;
    tell_late(session, &error);
    if (session->saving.now.is_copy)
        progress_copies(session, &(struct saver_result){.step = session->saving.now.step}, &error);
    else
        progress_checkpoint_failed(session, session->saving.now.step, true, &error);
}

/* Sooner than the next one that is due, but not at every step: each attempt costs the time of a save. */
static void plan_retry(struct session *session, uint64_t failed_step)
{
    session->saving.retry_wait = session->saving.retry_wait ? 2 * session->saving.retry_wait : RETRY_STEPS;
    session->saving.retry_step = failed_step + session->saving.retry_wait;
    if (session->saving.retry_step <= session->step)
        session->saving.retry_step = session->step + 1;
}

/* Collective. The verdict on copies: nothing depends on them. */
static bool take_copies(struct session *session, struct error *error)
{
    struct saver_result result;
    bool is_told = session->saving.now.late;
    session->saving.now.runs = session->saving.now.has_arrays = session->saving.now.late = false;
    bool ok = saver_take(session->saving.saver, &result, error);
    session->saving.renew_copies = session->saving.renew_copies && !ok;
    session->saving.no_copies = !ok && result.late; /* messages may still be under way */
    if (ok || !is_told)
        progress_copies(session, &result, ok ? NULL : error);
    else if (session->saving.no_copies)
        progress_no_more_copies();
    return ok;
}

/* Collective. The verdict on the save that runs. */
static bool take(struct session *session, bool is_last, struct error *error)
{
    struct saver_result result;
    struct save *save = &session->saving.now;
    bool is_told = save->late;
    double start = clock_seconds();
    save->runs = save->has_arrays = save->late = false;
    bool ok = saver_take(session->saving.saver, &result, error);
    save->stall_s += clock_seconds() - start;
    if (ok) {
        best_settle(&session->record.history, &save->retention);
        session->record.step = session->saving.saved_step = result.step;
        session->record.fingerprint = result.fingerprint;
        session->saving.retry_step = session->saving.retry_wait = 0;
        /* One that was begun before the last validation is not the last. */
        progress_checkpoint(session, &result, !is_last && (save->replaced || result.step == session->steps));
        if ((save->reasons & SAVE_KEEP) && !keep_every_pin(session, result.step, error))
            progress_not_kept(error);
        /* A job that ends waits for its last save: that is not what one costs. Nor does one take longer than its limit,
         * unless the job was suspended meanwhile. */
        double write_s = 1e-3 * result.commit.write_ms;
        if (!is_last && write_s <= saver_limit(session->saving.saver)) {
            cadence_measured(&session->cadence, save->stall_s, write_s);
            progress_cadence(session);
        }
        return true;
    }
    if (is_last && result.late) /* what hangs would hold up the end */
        error->kind = ERROR_LATE;
    if (best_kept(session->job) > 0)
        best_forget(&session->record.history, result.step);
    session->saving.owed |= save->reasons & SAVE_KEEP;
    plan_retry(session, result.step);
    if (!is_told)
        progress_checkpoint_failed(session, result.step, !is_last, error);
    return false;
}

bool save_settle(struct session *session, struct error *error)
{
    /* A disk may have room again later; a state that is wrong stays wrong. */
    return !session->saving.now.runs ||
           (session->saving.now.is_copy ? take_copies(session, error) : take(session, false, error)) ||
           (error->kind != ERROR_MEMORY && error->kind != ERROR_LATE);
}

bool save_finish(struct session *session, struct error *error)
{
    return !session->saving.now.runs || (await(session, error) && save_settle(session, error));
}

bool save_last(struct session *session, const char *why, struct error *error)
{
    double start = clock_seconds();
    PROMISE_EQUAL_TEXT(session->world, why);
    session->saving.now.replaced = !session->saving.now.is_copy && session->saving.now.step == session->step;
    if (!save_finish(session, error) || !may_be_saved(session, error))
        return false;
    begin(session, 0, why, NULL);
    if (!await(session, error))
        return false;
    session->saving.now.stall_s = clock_seconds() - start;
    if (take(session, true, error))
        return true;
    if (session->saving.saved_step == UINT64_MAX)
        return error_prefix(error,
                            "could not save step %" PRIu64 ", and there is no earlier checkpoint: ", session->step);
    return error_prefix(error, "could not save step %" PRIu64 "; the newest checkpoint is of step %" PRIu64 ": ",
                        session->step, session->saving.saved_step);
}
