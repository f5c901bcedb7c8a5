#include "train/save.h"

#include "base/clock.h"
#include "base/log.h"
#include "checkpoint/writer.h"

#include <inttypes.h>
#include <stdio.h>

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

static void report(struct session *session, const struct commit *commit, double stall_ms)
{
    struct text line;
    text_init(&line);
    text_append(&line, "{\"event\":\"checkpoint\",\"step\":%" PRIu64, session->step);
    metrics_number(&line, "stall_ms", stall_ms);
    metrics_number(&line, "write_ms", commit->write_ms);
    text_append(&line, ",\"bytes\":%" PRIu64 ",\"fingerprint\":\"%016" PRIx64 "\"}", commit->bytes,
                session->snapshot.fingerprint);
    metrics_write(&session->metrics, &line);
    text_release(&line);
    log_info("checkpoint of step %" PRIu64 ": %.1f MB in %.0f ms, fingerprint %016" PRIx64, session->step,
             (double)commit->bytes / 1e6, stall_ms, session->snapshot.fingerprint);
    if (!commit->pruned)
        log_warn("older checkpoints stay: %s", commit->prune_error.text);
}

static void report_failure(struct session *session, const struct error *error)
{
    struct text line;
    text_init(&line);
    text_append(&line, "{\"event\":\"checkpoint_failed\",\"step\":%" PRIu64 ",\"error\":", session->step);
    text_append_json(&line, error->text);
    text_append(&line, "}");
    metrics_write(&session->metrics, &line);
    text_release(&line);
    log_warn("the save of step %" PRIu64 " failed: %s", session->step, error->text);
    if (session->saved_step == UINT64_MAX)
        log_warn("there is no checkpoint yet; training goes on");
    else
        log_warn("the checkpoint of step %" PRIu64 " stands; training goes on", session->saved_step);
}

bool save(struct session *session, const char *why, struct error *error)
{
    struct commit commit;
    double start = clock_seconds();
    update_record(session, why);
    metrics_sync(&session->metrics);
    snapshot_take(&session->snapshot, &session->state, session->step);
    bool ok = exchange_check_replicas(session->exchange, session->snapshot.digests[0], error) &&
              writer_commit(&session->snapshot, &session->record, &session->store, session->job->checkpoint.keep,
                            &commit, error);
    if (!ok) {
        /* Sooner than the next one that is due, but not at every step: each attempt costs the time of a save. */
        uint64_t every = session->job->checkpoint.every;
        session->retry_step = session->step + (every / 10 > 10 ? every / 10 : 10);
        report_failure(session, error);
        return false;
    }
    session->record.step = session->saved_step = session->step;
    session->record.fingerprint = session->snapshot.fingerprint;
    session->retry_step = 0;
    report(session, &commit, 1e3 * (clock_seconds() - start));
    return true;
}
