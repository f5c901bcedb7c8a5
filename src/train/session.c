#include "train/session.h"

#include "base/watchdog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_S    1.0  /* what the first save is expected to take, and ... */
#define FIRST_RATE 50e6 /* ... bytes a second */

bool session_validation_is_due(const struct session *session, uint64_t step)
{
    uint64_t every = session->job->validate.every;
    return session->data.validation.count > 0 && every > 0 && (step % every == 0 || step == session->steps);
}

bool session_validation_is_pending(const struct session *session)
{
    return session_validation_is_due(session, session->step) && session->record.history.validated_step < session->step;
}

double session_save_needs(const struct session *session)
{
    double write_s = cadence_write(&session->cadence);
    const struct state *state = &session->learner.state;
    if (write_s == 0) /* none was ever measured */
        write_s = FIRST_S + (double)(state->count * state->array_count * sizeof(float)) / FIRST_RATE;
    return session->saving.now.runs ? 2 * write_s : write_s;
}

void session_limits(const struct session *session, bool over_meetings, struct watchdog_limits *limits)
{
    double limit_s = session->job->heartbeat;
    *limits = (struct watchdog_limits){.call_s = limit_s,
                                       .meeting_s = limit_s > 0 && over_meetings ? session->options->meeting_s : 0};
}

void session_watch_meetings(const struct session *session, bool over_meetings)
{
    struct watchdog_limits limits;
    session_limits(session, over_meetings, &limits);
    if (session->options->lost)
        watchdog_limit(&limits);
}

void session_close(struct session *session)
{
    if (!session->world)
        return;
    session_watch_meetings(session, true);
    watchdog_begin_meeting("the savers take leave of each other", 0, false);
    saver_close(session->saving.saver);
    copies_close(&session->saving.copies);
    watchdog_end();
    watchdog_begin(session->store.directory, 0);
    metrics_close(&session->metrics);
    history_log_close(&session->history_log);
    watchdog_end();
    cadence_release(&session->cadence);
    evaluator_release(&session->evaluator);
    prefetch_close(session->data.ahead); /* it reads from what comes next */
    watchdog_begin_meeting("the shared memory of the data is given back (MPI_Win_free)", 0, false);
    data_memory_close(&session->data_memory);
    watchdog_end();
    learner_close(&session->learner);
    augmenter_release(&session->data.augmenter);
    sampler_release(&session->data.sampler);
    dataset_close(&session->data.train);
    dataset_close(&session->data.validation);
    record_release(&session->record);
    watchdog_begin("the lock of the run directory", 0);
    if (session->held.lock >= 0)
        close(session->held.lock);
    directory_close(&session->held.directory);
    watchdog_end();
    heartbeat_close(session->heartbeat);
    memset(session, 0, sizeof *session);
}

void session_tell_newest(const struct session *session, char words[SESSION_NEWEST])
{
    snprintf(words, SESSION_NEWEST, "no checkpoint has been made so far");
    if (session->saving.saved_step != UINT64_MAX)
        snprintf(words, SESSION_NEWEST, "the newest checkpoint is of step %" PRIu64, session->saving.saved_step);
}
