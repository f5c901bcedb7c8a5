#include "train/boundary.h"

#include "base/clock.h"
#include "base/log.h"
#include "train/best.h"
#include "train/cadence.h"
#include "train/pause.h"
#include "train/preemption.h"
#include "train/progress.h"
#include "train/save.h"

#include <inttypes.h>
#include <math.h>

/* Collective. The parameters and their average change places, on all ranks. Not while a save has them. */
static void swap_average(struct session *session)
{
    float *params = session->used.params;
    for (size_t i = 0; i < session->shard.count; i++) {
        float kept = params[i];
        params[i] = session->used.average[i];
        session->used.average[i] = kept;
    }
    exchange_distribute(session->exchange);
}

/* Collective. *rank: its rank among the best so far; 0: none of them. False as save_finish. */
static bool validate(struct session *session, size_t *rank, struct error *error)
{
    bool averaged = session->job->validate.ema && session->used.average;
    if (averaged && session->save.frozen && !save_finish(session, error))
        return false;
    if (averaged)
        swap_average(session);
    double start = clock_seconds();
    struct evaluation evaluation = evaluator_run(&session->evaluator, &session->model, session_params(session));
    deadline_note_validation(&session->deadline, clock_seconds() - start);
    if (averaged)
        swap_average(session);
    *rank = best_consider(session->job, &session->record.history, &evaluation, session->step);
    progress_validation(session, &evaluation, *rank);
    return true;
}

bool boundary_is_finished(const struct session *session)
{
    return session->step == session->steps || best_is_late(session->job, &session->record.history);
}

bool boundary_validates(const struct session *session, uint64_t step)
{
    uint64_t every = session->job->validate.every;
    return session->validation.count > 0 && every > 0 && step % every == 0;
}

const char *boundary_reason(const struct session *session, unsigned flags)
{
    if (session->step == session->steps)
        return "finished";
    if (boundary_is_finished(session))
        return "early_stopping";
    /* Whoever sends a signal is in a hurry; a pause comes by itself. */
    if (flags & PREEMPTION_SIGNALS)
        return preemption_reason(flags);
    return flags & DEADLINE_IS_DUE ? "deadline" : "stop-after";
}

/* Collective. The reasons to save now and go on; the validation, if it is time for one, is made. False as validate. */
static bool find_reasons(struct session *session, unsigned flags, unsigned *reasons, struct error *error)
{
    const struct job *job = session->job;
    *reasons = cadence_due(&session->cadence, session->step, flags) | session->put_off;
    session->put_off = 0;
    if (session->retry_step == session->step)
        *reasons |= CADENCE_RETRY;
    if (!boundary_validates(session, session->step))
        return true;
    size_t rank;
    if (!validate(session, &rank, error))
        return false;
    if (rank > 0 && best_kept(job) > 0)
        *reasons |= CADENCE_BEST;
    if (job->checkpoint.on_validation)
        *reasons |= CADENCE_VALIDATION;
    return true;
}

/* Those that the next time is as good for. */
#define PATIENT_REASONS (CADENCE_EVERY | CADENCE_MINUTES | CADENCE_AUTO | CADENCE_VALIDATION | CADENCE_RETRY)

/* Collective. A save that is due now, with the job going on. False as save_begin. */
static bool save_on_the_way(struct session *session, unsigned reasons, struct error *error)
{
    /* After a skipped step the state may be spoilt: nothing shows that it is not before the next step is taken. */
    if (session->record.history.skipped_row > 0) {
        session->put_off = reasons & ~(unsigned)CADENCE_BEST;
        if (reasons & CADENCE_BEST)
            best_forget(&session->record.history, session->step);
        return true;
    }
    if (session->save.runs && !session->save.is_copy && session->job->checkpoint.busy == BUSY_SKIP &&
        !(reasons & ~(unsigned)PATIENT_REASONS)) {
        log_info("step %" PRIu64 " is not saved: an earlier save still runs", session->step);
        return true;
    }
    return save_begin(session, reasons, error);
}

bool boundary_pass(struct session *session, unsigned flags, struct error *error)
{
    unsigned reasons;
    save_note_late(session, flags);
    if (!(flags & SAVE_IS_RUNNING) && !save_settle(session, error))
        return false;
    if (!find_reasons(session, flags, &reasons, error))
        return false;
    bool finished = boundary_is_finished(session);
    if (!finished && !(flags & PREEMPTION_LEAVE)) {
        if (reasons != 0)
            return save_on_the_way(session, reasons, error);
        save_copies(session);
        return true;
    }
    if (finished && !isfinite(session->loss))
        return error_set(error, ERROR_STATE,
                         "step %" PRIu64
                         " is the last, and its loss is %g: not saved. Go back to an earlier checkpoint "
                         "with a smaller optimizer.learning_rate, a clip_norm or a longer warmup",
                         session->step, session->loss);
    return save_last(session, boundary_reason(session, flags), error);
}
