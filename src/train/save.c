#include "train/save.h"

#include "base/clock.h"
#include "checkpoint/writer.h"
#include "train/best.h"
#include "train/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

bool save(struct session *session, const char *why, struct error *error)
{
    struct commit commit;
    double start = clock_seconds();
    struct history *history = &session->record.history;
    struct retention retention;
    best_retain(session->job, history, &retention);
    update_record(session, why);
    metrics_sync(&session->metrics);
    snapshot_take(&session->snapshot, &session->state, session->step);
    bool ok = exchange_check_replicas(session->exchange, session->snapshot.digests[0], error) &&
              writer_commit(&session->snapshot, &session->record, &session->store, &retention, &commit, error);
    if (!ok) {
        if (best_kept(session->job) > 0)
            best_forget(history, session->step);
        /* Sooner than the next one that is due, but not at every step: each attempt costs the time of a save. */
        session->retry_wait = session->retry_wait ? 2 * session->retry_wait : RETRY_STEPS;
        session->retry_step = session->step + session->retry_wait;
        progress_checkpoint_failed(session, strcmp(why, "running") == 0, error);
        if (session->saved_step == UINT64_MAX)
            return error_prefix(error,
                                "could not save step %" PRIu64 ", and there is no earlier checkpoint: ", session->step);
        return error_prefix(error, "could not save step %" PRIu64 "; the newest checkpoint is of step %" PRIu64 ": ",
                            session->step, session->saved_step);
    }
    best_settle(history, &retention);
    session->record.step = session->saved_step = session->step;
    session->record.fingerprint = session->snapshot.fingerprint;
    session->retry_step = session->retry_wait = 0;
    progress_checkpoint(session, &commit, 1e3 * (clock_seconds() - start));
    return true;
}
