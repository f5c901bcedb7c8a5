#include "train/save.h"

#include "base/clock.h"
#include "train/best.h"
#include "train/cadence.h"
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

/* reasons: 0 if the job leaves. */
static void begin(struct session *session, unsigned reasons, const char *why)
{
    session->save = (struct save){.runs = true, .frozen = true, .reasons = reasons};
    cadence_begin(&session->cadence, reasons, clock_seconds());
    best_retain(session->job, &session->record.history, &session->save.retention);
    update_record(session, why);
    struct saver_work work = {
        .state = session->state,
        .step = session->step,
        .record = session->record,
        .retention = session->save.retention,
        .replica = session_params(session),
        .descriptor = session->metrics.descriptor,
    };
    saver_begin(session->saver, &work);
}

bool save_begin(struct session *session, unsigned reasons, struct error *error)
{
    double start = clock_seconds();
    if (!save_finish(session, error))
        return false;
    begin(session, reasons, "running");
    session->save.stall_s = clock_seconds() - start;
    return saver_is_background(session->saver) || save_settle(session, error);
}

unsigned save_flags(const struct session *session)
{
    return session->save.runs && saver_is_busy(session->saver) ? SAVE_IS_RUNNING : 0;
}

/* Sooner than the next one that is due, but not at every step: each attempt costs the time of a save. */
static void plan_retry(struct session *session, uint64_t failed_step)
{
    session->retry_wait = session->retry_wait ? 2 * session->retry_wait : RETRY_STEPS;
    session->retry_step = failed_step + session->retry_wait;
    if (session->retry_step <= session->step)
        session->retry_step = session->step + 1;
}

/* Collective. The verdict on the save that runs. */
static bool take(struct session *session, bool is_last, struct error *error)
{
    struct saver_result result;
    struct save *save = &session->save;
    save->runs = save->frozen = false;
    if (saver_take(session->saver, &result, error)) {
        best_settle(&session->record.history, &save->retention);
        session->record.step = session->saved_step = result.step;
        session->record.fingerprint = result.fingerprint;
        session->retry_step = session->retry_wait = 0;
        progress_checkpoint(session, &result);
        cadence_measured(&session->cadence, save->stall_s, 1e-3 * result.commit.write_ms);
        progress_cadence(session);
        return true;
    }
    if (is_last && result.late) /* what hangs would hold up the end */
        error->kind = ERROR_LATE;
    if (best_kept(session->job) > 0)
        best_forget(&session->record.history, result.step);
    plan_retry(session, result.step);
    progress_checkpoint_failed(session, result.step, !is_last, error);
    return false;
}

bool save_settle(struct session *session, struct error *error)
{
    /* A disk may have room again later; a state that is wrong stays wrong. */
    return !session->save.runs || take(session, false, error) ||
           (error->kind != ERROR_STATE && error->kind != ERROR_LATE);
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
    begin(session, 0, why);
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
