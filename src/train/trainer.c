#include "train/trainer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/timeline.h"
#include "base/watchdog.h"
#include "checkpoint/reason.h"
#include "nn/kernels/numerics.h"
#include "policy/flags.h"
#include "train/boundary.h"
#include "train/core_watch.h"
#include "train/data_watch.h"
#include "train/memory_watch.h"
#include "train/progress.h"
#include "train/save.h"
#include "train/start.h"
#include "train/step.h"
#include "train/timeline_file.h"

#include <stdio.h>

/* Collective. The job ends with this error: what is still being written is brought to its end. If a rank hangs over
 * that, or it may not be saved, that is the error. */
static void finish_saving(struct session *session, struct error *error)
{
    struct error late;
    if (error->kind == ERROR_LATE)
        return;
    bool is_finished = save_finish(session, &late);
    data_watch_explain(session, error);
    if (!is_finished) {
        if (error->kind != late.kind)
            log_warn("%s", error->text);
        *error = late;
    }
    memory_watch_explain(session, error);
}

bool trainer_step(struct session *session, struct progress *progress, unsigned *flags, struct error *error)
{
    struct step_numbers numbers;
    double start = clock_seconds();
    timeline_begin(MARK_STEP);
    bool ok = step_make(session, &numbers, flags, error);
    timeline_end();
    /* A state whose next step diverges is not saved: it may be spoilt already, and would push out a good one. */
    if (!ok)
        return false;
    deadline_note_step(&session->deadline, clock_seconds() - start);
    timeline_begin(MARK_METRICS);
    progress_step(progress, session, &numbers, clock_seconds() - start);
    if (progress->steps_all == 1)
        progress_ready(session);
    timeline_end();
    timeline_begin(MARK_BOUNDARY);
    core_watch_tell(&session->cores, session->world, &session->learner.tally);
    ok = boundary_pass(session, flags, error);
    timeline_end();
    return ok;
}

static bool train(struct session *session, unsigned *flags, struct error *error)
{
    struct progress progress = {0};
    memory_watch_begin(session);
    numerics_enter(); /* once more: libraries that were loaded since may have set floating point otherwise */
    if (!boundary_begin(session, flags, error))
        return false;
    while (!boundary_is_finished(session) && !(*flags & LEAVE_ALL))
        if (!trainer_step(session, &progress, flags, error))
            return false;
    return true;
}

/* Collective. Trains what is left of the job, and brings its state into a file. */
static bool run(struct session *session, double start, struct trainer_outcome *outcome, struct error *error)
{
    unsigned flags = 0;
    bool ok = true;
    bool nothing_left = boundary_is_finished(session) && session->saving.saved_step == session->step;
    if (nothing_left) {
        progress_nothing_left(session, boundary_reason(session, flags));
    } else {
        session->pause = pause_begin(&session->options->stop_after, &session->data.sampler, session->step, start);
        progress_begin(session);
        core_watch_begin(&session->cores, session->world, &session->learner.node,
                         compute_threads(session->learner.model.compute));
        ok = train(session, &flags, error);
        if (!ok)
            finish_saving(session, error);
    }
    if (!ok && error->kind == ERROR_LATE)
        return false;
    if (ok) { /* all is in a file */
        watchdog_begin("the directory of the copies", 0);
        copies_keep(&session->saving.copies, 0, 0);
        watchdog_end();
    }
    const char *reason = ok ? boundary_reason(session, flags) : reason_words[REASON_FAILED];
    if (!nothing_left)
        progress_end(session, reason, !ok || (!boundary_is_finished(session) && (flags & LEAVE_SIGNALS)),
                     ok ? NULL : error);
    if (ok)
        progress_best(session);
    *outcome = (struct trainer_outcome){.finished = boundary_is_finished(session),
                                        .step = session->step,
                                        .loss = session->loss,
                                        .fingerprint = session->record.fingerprint};
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
    return ok;
}

#define TRACE_EVENTS 65536 /* of a thread: 2 MB */

/* Collective. Brings the timeline into its file, however the run has ended. A file that cannot be written is a warning:
 * all that was trained is saved. */
static void write_trace(struct session *session)
{
    struct error error;
    training_data_rest(&session->data);
    if (!timeline_file_write(session->world, session->options->trace, &session->learner.model, &error))
        log_warn("%s", error.text);
}

bool trainer_run(const struct world *world, const struct job *job, const struct session_options *options,
                 struct trainer_outcome *outcome, struct error *error)
{
    double start = clock_seconds();
    if (options->trace && !timeline_file_check(world, options->trace, error))
        return false;
    timeline_name_thread("trainer");
    if (options->trace)
        timeline_open(TRACE_EVENTS);
    struct session *session = memory_need(1, sizeof *session);
    bool is_open = start_session(session, world, job, options, error);
    bool ok = is_open && run(session, start, outcome, error);
    /* After ERROR_LATE the saver's thread may still be at work with it while the process leaves: it stays. */
    if (!ok && error->kind == ERROR_LATE)
        return false;
    if (is_open && options->trace)
        write_trace(session);
    if (is_open)
        session_close(session);
    timeline_close();
    memory_free(session);
    return ok;
}
