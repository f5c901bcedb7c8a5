#include "train/trainer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/partition.h"
#include "base/watchdog.h"
#include "checkpoint/reason.h"
#include "job/length.h"
#include "policy/cadence.h"
#include "policy/flags.h"
#include "policy/guard.h"
#include "policy/pause.h"
#include "policy/preemption.h"
#include "train/boundary.h"
#include "train/data_watch.h"
#include "train/progress.h"
#include "train/run_directory.h"
#include "train/save.h"
#include "train/start.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Forward and backward of this rank's leaves; their gradients go to the exchange, their losses to the tally. */
static void train_leaves(struct session *session, uint64_t step)
{
    struct tally *tally = &session->learner.tally;
    struct model *model = &session->learner.model;
    size_t size = (size_t)session->world->size, rank = (size_t)session->world->rank;
    size_t rows = session->job->train.microbatch;
    for (size_t leaf = partition_first(tally->items, size, rank); leaf < partition_first(tally->items, size, rank + 1);
         leaf++) {
        struct loss_sums sums;
        sampler_indices(&session->data.sampler, step, leaf * rows, rows, session->learner.indices);
        watchdog_begin("the training data", 0);
        dataset_read(&session->data.train, session->learner.indices, rows, &model->leaf);
        watchdog_end();
        model->leaf.first = leaf * rows;
        model_train_leaf(model, learner_params(&session->learner), step, exchange_leaf(session->learner.exchange),
                         &sums);
        exchange_leaf_done(session->learner.exchange);
        *tally_item(tally, leaf) = sums.loss;
    }
}

/* A NaN's sign means nothing, but is printed. */
static double without_sign(double number)
{
    return isnan(number) ? fabs(number) : number;
}

/* Tells how much longer an update has taken because of a save, and remembers how long others take. */
static void note_update(struct session *session, double seconds)
{
    double usual = session->learner.update_s;
    if (!session->saving.now.frozen)
        session->learner.update_s = usual > 0 ? 0.9 * usual + 0.1 * seconds : seconds;
    else if (usual > 0 && seconds > usual)
        session->saving.now.stall_s += seconds - usual;
}

/* Collective. The owner's update of this rank's shard, and the new parameters to all. If a save has the used arrays,
 * they stay as they are, and the update goes to the others. */
static void update(struct session *session, const struct step_numbers *numbers, float *gradient)
{
    const struct job *job = session->job;
    bool clip = job->clip_norm > 0 && numbers->gradient_norm > job->clip_norm;
    const struct update_numbers update_numbers = {
        .number = session->record.history.updates,
        .learning_rate = numbers->learning_rate,
        .gradient_scale = clip ? (float)(job->clip_norm / numbers->gradient_norm) : 1,
        .average_decay = job->ema,
    };
    double start = clock_seconds();
    bool frozen = session->saving.now.frozen;
    update_run(&session->learner.update, &session->learner.used,
               frozen ? &session->learner.other : &session->learner.used, gradient, &update_numbers);
    note_update(session, clock_seconds() - start);
    if (frozen) {
        learner_turn(&session->learner);
        session->saving.now.frozen = false;
    }
    exchange_distribute(session->learner.exchange);
}

/* Collective. One step; `flags` is what any rank was asked from outside. A step that the guard does not let pass leaves
 * the state as the step before had it. */
static bool make_step(struct session *session, struct step_numbers *numbers, unsigned *flags, struct error *error)
{
    const struct job *job = session->job;
    float *gradient;
    uint64_t step = session->step + 1;
    train_leaves(session, step);
    unsigned own = preemption_flags() | pause_flags(&session->pause, session->world->rank, step, clock_seconds()) |
                   save_flags(session) | data_watch_flags(session);
    if (session->world->rank == 0) {
        deadline_look(&session->deadline, job->run, false, clock_seconds());
        own |= cadence_flags(&session->cadence, clock_seconds()) | run_directory_flags(session, clock_seconds()) |
               deadline_flags(&session->deadline, 2, session_save_needs(session), clock_seconds()) |
               deadline_announced(&session->deadline);
    }
    *flags = tally_share(&session->learner.tally, own);
    if (session->world->rank == 0 && (*flags & LEAVE_SIGUSR1) && !session->deadline.warned)
        deadline_look(&session->deadline, job->run, true, clock_seconds());
    *flags = deadline_weigh(&session->deadline, *flags, clock_seconds());
    if (*flags & DATA_IS_WRONG)
        return data_watch_agree(session, error);
    numbers->loss = without_sign(tally_sum(&session->learner.tally, 0) / session_batch_terms(session));
    numbers->gradient_norm = without_sign(
        exchange_reduce(session->learner.exchange, session_batch_terms(session), &gradient));
    numbers->learning_rate = length_learning_rate(job, &session->data.sampler, session->steps, step);
    enum guard_verdict verdict = guard_judge(job, &session->record.history, step, numbers->loss, numbers->gradient_norm,
                                             error);
    numbers->skipped = verdict == GUARD_SKIP;
    if (verdict == GUARD_STOP)
        return false;
    if (verdict == GUARD_SKIP)
        progress_skipped(session, step, numbers, error);
    else
        update(session, numbers, gradient);
    session->step = step;
    session->loss = numbers->loss;
    return true;
}

/* Collective. The job ends with this error: what is still being written is brought to its end. If a rank hangs over
 * that, it is the error. */
static void finish_saving(struct session *session, struct error *error)
{
    struct error late;
    if (error->kind == ERROR_LATE)
        return;
    bool is_finished = save_finish(session, &late);
    data_watch_explain(session, error);
    if (is_finished)
        return;
    log_warn("%s", error->text);
    *error = late;
}

static bool train(struct session *session, unsigned *flags, struct error *error)
{
    struct progress progress = {0};
    if (!boundary_begin(session, flags, error))
        return false;
    while (!boundary_is_finished(session) && !(*flags & LEAVE_ALL)) {
        struct step_numbers numbers;
        double start = clock_seconds();
        /* A state whose next step diverges is not saved: it may be spoilt already, and would push out a good one. */
        if (!make_step(session, &numbers, flags, error))
            return false;
        deadline_note_step(&session->deadline, clock_seconds() - start);
        progress_step(&progress, session, &numbers, clock_seconds() - start);
        if (progress.steps_all == 1)
            progress_ready(session);
        if (!boundary_pass(session, flags, error))
            return false;
    }
    return true;
}

bool trainer_run(const struct world *world, const struct job *job, const struct session_options *options,
                 struct trainer_outcome *outcome, struct error *error)
{
    /* Not on the stack: after ERROR_LATE the saver's thread may still be at work with it while the process leaves. */
    static struct session session;
    unsigned flags = 0;
    bool ok = true;
    double start = clock_seconds();
    if (!start_session(&session, world, job, options, error))
        return false;
    bool nothing_left = boundary_is_finished(&session) && session.saving.saved_step == session.step;
    if (nothing_left) {
        progress_nothing_left(&session, boundary_reason(&session, flags));
    } else {
        session.pause = pause_begin(&options->stop_after, &session.data.sampler, session.step, start);
        progress_begin(&session);
        ok = train(&session, &flags, error);
        if (!ok)
            finish_saving(&session, error);
    }
    if (!ok && error->kind == ERROR_LATE)
        return false;
    if (ok) { /* all is in a file */
        watchdog_begin("the directory of the copies", 0);
        local_keep(&session.saving.local, 0, 0);
        watchdog_end();
    }
    const char *reason = ok ? boundary_reason(&session, flags) : reason_words[REASON_FAILED];
    if (!nothing_left)
        progress_end(&session, reason, !ok || (!boundary_is_finished(&session) && (flags & LEAVE_SIGNALS)),
                     ok ? NULL : error);
    *outcome = (struct trainer_outcome){.finished = boundary_is_finished(&session),
                                        .step = session.step,
                                        .loss = session.loss,
                                        .fingerprint = session.record.fingerprint};
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
    session_close(&session);
    return ok;
}
