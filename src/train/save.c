#include "train/save.h"

#include "base/clock.h"
#include "train/best.h"
#include "train/progress.h"

#include <inttypes.h>
#include <stdio.h>

#define RETRY_STEPS 10 /* to the first attempt after a failed save; then twice as many, and so on */

/* Brings the record to this step. */
static void update_record(struct session *session, const char *why)
{
    struct record *record = &session->record;
    record->epoch = sampler_epoch(&session->sampler, session->step);
    record->loss = session->loss;
    record->saved_unix = clock_unix();
    struct segment *segment = &record->segments[record->segment_count - 1];
    segment->last_step = session->step;
    segment->saved_unix = record->saved_unix;
    snprintf(segment->end, sizeof segment->end, "%s", why);
}

static void begin(struct session *session, const char *why, struct local *local)
{
    const struct history *history = &session->record.history;
    uint64_t best = best_is_kept(session->job) ? history->best_step : 0;
    update_record(session, why);
    session->save = (struct save){.runs = true, .is_copy = local != NULL, .frozen = true, .best = best};
    struct saver_work work = {
        .state = session->state,
        .step = session->step,
        .record = session->record,
        /* What is saved after a skipped step, because the job has to leave, may be spoilt: it must not push out good
         * ones. */
        .keep = history->skipped_row > 0 ? SIZE_MAX : session->job->checkpoint.keep,
        .best = best,
        .replica = session_params(session),
        .descriptor = session->metrics.descriptor,
        .local = local,
    };
    saver_begin(session->saver, &work);
}

bool save_begin(struct session *session, struct error *error)
{
    double start = clock_seconds();
    if (!save_finish(session, error))
        return false;
    begin(session, "running", NULL);
    session->save.stall_s = clock_seconds() - start;
    return true;
}

void save_copies(struct session *session)
{
    uint64_t every = session->job->copies.every;
    bool due = every > 0 && (session->step % every == 0 || session->renew_copies);
    /* After a skipped step the state may be spoilt. */
    if (!due || session->no_copies || session->save.runs || session->record.history.skipped_row > 0)
        return;
    begin(session, "running", &session->local);
}

bool save_is_busy(const struct session *session)
{
    return session->save.runs && saver_is_busy(session->saver);
}

/* Sooner than the next one that is due, but not at every step: each attempt costs the time of a save. */
static void plan_retry(struct session *session, uint64_t failed_step)
{
    session->retry_wait = session->retry_wait ? 2 * session->retry_wait : RETRY_STEPS;
    session->retry_step = failed_step + session->retry_wait;
    if (session->retry_step <= session->step)
        session->retry_step = session->step + 1;
}

/* Collective. The verdict on copies: nothing depends on them. */
static bool take_copies(struct session *session, struct error *error)
{
    struct saver_result result;
    session->save.runs = session->save.frozen = false;
    bool ok = saver_take(session->saver, &result, error);
    session->renew_copies = session->renew_copies && !ok;
    session->no_copies = !ok && error->kind == ERROR_LATE;
    progress_copies(session, &result, ok ? NULL : error);
    return ok;
}

/* Collective. The verdict on the save that runs. */
static bool take(struct session *session, bool is_last, struct error *error)
{
    struct saver_result result;
    struct save *save = &session->save;
    save->runs = save->frozen = false;
    if (saver_take(session->saver, &result, error)) {
        session->record.step = session->saved_step = result.step;
        session->record.fingerprint = result.fingerprint;
        session->retry_step = session->retry_wait = 0;
        progress_checkpoint(session, &result, save->stall_s);
        return true;
    }
    if (save->best == result.step) /* it has no file: the next validation takes its place */
        best_forget(&session->record.history);
    plan_retry(session, result.step);
    progress_checkpoint_failed(session, result.step, !is_last, error);
    return false;
}

bool save_settle(struct session *session, struct error *error)
{
    /* A disk may have room again later; a state that is wrong stays wrong. */
    return !session->save.runs || (session->save.is_copy ? take_copies(session, error) : take(session, false, error)) ||
           error->kind != ERROR_STATE;
}

/* Local. */
static bool wait_for(struct session *session, struct error *error)
{
    return !session->save.runs || saver_wait(session->saver, error);
}

bool save_finish(struct session *session, struct error *error)
{
    return wait_for(session, error) && save_settle(session, error);
}

bool save_last(struct session *session, const char *why, struct error *error)
{
    double start = clock_seconds();
    if (!save_finish(session, error))
        return false;
    begin(session, why, NULL);
    if (!wait_for(session, error))
        return false;
    session->save.stall_s = clock_seconds() - start;
    if (take(session, true, error))
        return true;
    if (session->saved_step == UINT64_MAX)
        return error_prefix(error,
                            "could not save step %" PRIu64 ", and there is no earlier checkpoint: ", session->step);
    return error_prefix(error, "could not save step %" PRIu64 "; the newest checkpoint is of step %" PRIu64 ": ",
                        session->step, session->saved_step);
}
