#include "train/boundary.h"

#include "base/log.h"
#include "base/timeline.h"
#include "checkpoint/reason.h"
#include "parallel/promise.h"
#include "policy/best.h"
#include "policy/cadence.h"
#include "policy/flags.h"
#include "policy/preemption.h"
#include "policy/skipped.h"
#include "train/data_watch.h"
#include "train/hold.h"
#include "train/save.h"
#include "train/validation.h"

#include <inttypes.h>
#include <math.h>

bool boundary_is_finished(const struct session *session)
{
    bool is_over = session->step == session->steps || best_is_late(session->job, &session->record.history);
    return is_over && !session_validation_is_pending(session);
}

const char *boundary_reason(const struct session *session, unsigned flags)
{
    if (boundary_is_finished(session))
        return reason_words[session->step == session->steps ? REASON_FINISHED : REASON_EARLY_STOPPING];
    /* Whoever sends a signal is in a hurry; a pause comes by itself. */
    if (flags & LEAVE_SIGNALS)
        return preemption_reason(flags);
    if (flags & LEAVE_MOVED)
        return reason_words[REASON_MOVED];
    return reason_words[flags & LEAVE_DEADLINE ? REASON_DEADLINE : REASON_STOP_AFTER];
}

/* Collective. The reasons to save now and go on, as far as no validation has to tell them. */
static unsigned find_reasons(struct session *session, unsigned flags)
{
    unsigned reasons = cadence_due(&session->cadence, session->step, flags) | session->saving.put_off;
    session->saving.put_off = 0;
    if (session->saving.retry_step == session->step)
        reasons |= SAVE_RETRY;
    if (session->job->checkpoint.on_validation && session_validation_is_due(session, session->step))
        reasons |= SAVE_VALIDATION;
    return reasons;
}

bool boundary_may_save(const struct session *session, uint64_t step, unsigned flags)
{
    const struct saving *saving = &session->saving;
    const struct job *job = session->job;
    return (flags & (LEAVE_ALL | SAVE_ALL | VALIDATION_IS_WRONG)) || cadence_due_at(job, step) || saving->put_off ||
           saving->retry_step == step || session_validation_is_due(session, step) || step == session->steps ||
           (job->copies.every > 0 && (step % job->copies.every == 0 || saving->renew_copies));
}

/* Those that the next time is as good for. */
#define PATIENT_REASONS (SAVE_EVERY | SAVE_MINUTES | SAVE_AUTO | SAVE_VALIDATION | SAVE_RETRY)

/* Collective. A save that is due now, with the job going on. False as save_begin. */
static bool save_unless_put_off(struct session *session, unsigned reasons, struct error *error)
{
    if (session->record.history.skipped_row > 0 && !skipped_select(reasons, SKIPPED_SAVES)) {
        session->saving.put_off = skipped_select(reasons, SKIPPED_WAITS);
        return true;
    }
    if (session->saving.now.runs && !session->saving.now.is_copy && session->job->checkpoint.busy == BUSY_SKIP &&
        !(reasons & ~(unsigned)PATIENT_REASONS)) {
        log_info("step %" PRIu64 " is not saved: an earlier save still runs", session->step);
        return true;
    }
    return save_begin(session, reasons, error);
}

/* Collective. What is due now, with the job going on: a save for these reasons, else copies. False as save_begin. */
static bool save_or_copy(struct session *session, unsigned reasons, struct error *error)
{
    if (reasons != 0)
        return save_unless_put_off(session, reasons, error);
    save_copies(session);
    return true;
}

/* Collective. Makes the validation that is pending, if nobody wants the job to leave meanwhile. *reasons: what is still
 * to be saved by that. */
static void validate(struct session *session, unsigned *flags, unsigned *reasons)
{
    size_t rank;
    *reasons = 0;
    timeline_begin(MARK_VALIDATION);
    bool is_made = validation_make(session, flags, &rank);
    timeline_end();
    if (!is_made || rank == 0 || best_kept(session->job) == 0)
        return;
    if (!save_has_step(session))
        *reasons = SAVE_BEST | session->saving.put_off;
    session->saving.put_off = 0;
}

/* Collective. The job ends here for this reason, finished or not. */
static bool leave(struct session *session, unsigned flags, const char *why, struct error *error)
{
    /* All of it may be in a file, or on its way to one: a validation that was given up has changed nothing. */
    if (session_validation_is_pending(session) && save_has_step(session)) {
        if (!save_finish(session, error))
            return false;
        if (session->saving.saved_step == session->step)
            return true;
    }
    /* The last steps were skipped. */
    if (boundary_is_finished(session) && !isfinite(session->loss) && !validation_finds_state_sound(session))
        return error_set(error, ERROR_STATE,
                         "step %" PRIu64
                         " is the last, and its loss is %g, as it is now for earlier batches: not saved. "
                         "Go back to an earlier checkpoint with a smaller optimizer.learning_rate, a clip_norm or a "
                         "longer warmup",
                         session->step, session->loss);
    return hold_save_last(session, flags, why, error);
}

/* Collective. Ends the job if it is finished, asked to leave, or cannot validate any more; else saves for these
 * reasons. */
static bool go_on(struct session *session, unsigned flags, unsigned reasons, struct error *error)
{
    if ((flags & DATA_IS_WRONG) && !data_watch_agree(session, error))
        return false;
    bool leaves = boundary_is_finished(session) || (flags & LEAVE_ALL);
    bool fails = !leaves && (flags & VALIDATION_IS_WRONG);
    if (!leaves && !fails)
        return save_or_copy(session, reasons, error);
    /* The last save takes the place of the one that would have been made. At a skipped step the next life finds by
     * itself what waits. */
    session->saving.owed |= reasons & SAVE_KEEP;
    return leave(session, flags, fails ? reason_words[REASON_FAILED] : boundary_reason(session, flags), error) &&
           (!fails || data_watch_refuse_validation(session, error));
}

bool boundary_begin(struct session *session, unsigned *flags, struct error *error)
{
    unsigned reasons = 0;
    bool is_pending = session_validation_is_pending(session);
    session->saving.put_off = skipped_waiting(session->job, &session->record.history, session->step,
                                              session->data.validation.count > 0 ? session->job->validate.every : 0);
    if (is_pending)
        validate(session, flags, &reasons);
    /* All that can be left else is the end of a job that was finished by what was only in copies on the nodes. */
    return (!is_pending && !boundary_is_finished(session)) || go_on(session, *flags, reasons, error);
}

bool boundary_pass(struct session *session, unsigned *flags, struct error *error)
{
    PROMISE_EQUAL(session->world, *flags);
    save_note_late(session, *flags);
    if (!(*flags & SAVER_IS_BUSY) && !save_settle(session, error))
        return false;
    unsigned reasons = find_reasons(session, *flags), best = 0;
    /* Who wants to leave is in a hurry, but an end that is known leaves time until it is near, and a pause all time. */
    if (session_validation_is_pending(session) && !(*flags & (LEAVE_SIGNALS | VALIDATION_IS_WRONG))) {
        bool leaves = *flags & LEAVE_ALL;
        if (!leaves && !save_or_copy(session, reasons, error))
            return false;
        validate(session, flags, &best);
        reasons = leaves ? reasons | best : best;
    }
    return go_on(session, *flags, reasons, error);
}
