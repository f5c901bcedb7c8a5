#include "train/trainer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/partition.h"
#include "train/best.h"
#include "train/cadence.h"
#include "train/guard.h"
#include "train/preemption.h"
#include "train/progress.h"
#include "train/save.h"
#include "train/session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Forward and backward of this rank's leaves; their gradients go to the exchange, their losses to the tally. */
static void train_leaves(struct session *session, uint64_t step)
{
    struct tally *tally = &session->tally;
    struct model *model = &session->model;
    size_t size = (size_t)session->world->size, rank = (size_t)session->world->rank;
    size_t rows = session->job->train.microbatch;
    for (size_t leaf = partition_first(tally->items, size, rank); leaf < partition_first(tally->items, size, rank + 1);
         leaf++) {
        struct loss_sums sums;
        sampler_indices(&session->sampler, step, leaf * rows, rows, session->indices);
        dataset_read(&session->train, session->indices, rows, &model->leaf);
        model->leaf.first = leaf * rows;
        model_train_leaf(model, session_params(session), step, exchange_leaf(session->exchange), &sums);
        exchange_leaf_done(session->exchange);
        *tally_item(tally, leaf) = sums.loss;
    }
}

/* A NaN's sign means nothing, but is printed. */
static double without_sign(double number)
{
    return isnan(number) ? fabs(number) : number;
}

/* Collective. The owner's update of this rank's shard, and the new parameters to all. */
static void update(struct session *session, const struct step_numbers *numbers, float *gradient)
{
    const struct job *job = session->job;
    struct update_arrays arrays = {
        .params = session_params(session) + session->shard.first, .gradient = gradient, .average = session->average};
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
        arrays.moments[k] = session->moments[k];
    bool clip = job->clip_norm > 0 && numbers->gradient_norm > job->clip_norm;
    float scale = clip ? (float)(job->clip_norm / numbers->gradient_norm) : 1;
    update_run(&session->update, &arrays, session->record.history.updates, numbers->learning_rate, scale, job->ema);
    exchange_distribute(session->exchange);
}

/* Collective. One step; `flags` is what any rank was asked from outside. A step that the guard does not let pass leaves
 * the state as the step before had it. */
static bool make_step(struct session *session, struct step_numbers *numbers, unsigned *flags, struct error *error)
{
    const struct job *job = session->job;
    float *gradient;
    uint64_t step = session->step + 1;
    double steps_per_epoch = (double)session->train.count / (double)job->train.batch;
    train_leaves(session, step);
    unsigned own = preemption_flags();
    if (session->world->rank == 0)
        own |= cadence_flags(&session->cadence, clock_seconds());
    *flags = tally_share(&session->tally, own);
    numbers->loss = without_sign(tally_sum(&session->tally, 0) / session_batch_terms(session));
    numbers->gradient_norm = without_sign(exchange_reduce(session->exchange, session_batch_terms(session), &gradient));
    numbers->learning_rate = job->optimizer.learning_rate *
                             schedule_factor(&job->schedule, step, job->train.steps, steps_per_epoch);
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

static bool is_due(uint64_t every, uint64_t step)
{
    return every > 0 && step % every == 0;
}

/* Collective. The parameters and their average change places, on all ranks. */
static void swap_average(struct session *session)
{
    float *params = session_params(session) + session->shard.first;
    for (size_t i = 0; i < session->shard.count; i++) {
        float kept = params[i];
        params[i] = session->average[i];
        session->average[i] = kept;
    }
    exchange_distribute(session->exchange);
}

/* Collective. True if it is the best so far. */
static bool validate(struct session *session)
{
    bool averaged = session->job->validate.ema && session->average;
    if (averaged)
        swap_average(session);
    struct evaluation evaluation = evaluator_run(&session->evaluator, &session->model, session_params(session));
    if (averaged)
        swap_average(session);
    bool best = best_consider(session->job, &session->record.history, &evaluation, session->step);
    progress_validation(session, &evaluation, best);
    return best;
}

/* All steps are made, or early stopping has had enough. */
static bool is_finished(const struct session *session)
{
    return session->step == session->job->train.steps || best_is_late(session->job, &session->record.history);
}

static const char *reason_of(const struct session *session, unsigned flags)
{
    if (session->step == session->job->train.steps)
        return "finished";
    return is_finished(session) ? "early_stopping" : preemption_reason(flags);
}

/* Local. What the save that was just committed has cost, and how often to save from here on. */
static void note_cost(struct session *session, double seconds)
{
    cadence_measured(&session->cadence, seconds, seconds);
    progress_cadence(session);
}

/* Collective. What is due between this step and the next. False if the state has to be saved now and cannot be, or must
 * not be. */
static bool boundary(struct session *session, unsigned flags, struct error *error)
{
    const struct job *job = session->job;
    unsigned due = cadence_due(&session->cadence, session->step, flags);
    if (session->retry_step == session->step)
        due |= CADENCE_RETRY;
    if (session->validation.count > 0 && is_due(job->validate.every, session->step)) {
        if (validate(session) && best_is_kept(job))
            due |= CADENCE_BEST;
        if (job->checkpoint.on_validation)
            due |= CADENCE_VALIDATION;
    }
    bool finished = is_finished(session), leave = finished || flags & PREEMPTION_LEAVE;
    if (!leave && !due)
        return true;
    if (finished && !isfinite(session->loss))
        return error_set(error, ERROR_STATE,
                         "step %" PRIu64
                         " is the last, and its loss is %g: not saved. Go back to an earlier checkpoint "
                         "with a smaller optimizer.learning_rate, a clip_norm or a longer warmup",
                         session->step, session->loss);
    /* After a skipped step the state may be spoilt: nothing shows that it is not before the next step is taken. */
    if (!leave && session->record.history.skipped_row > 0) {
        session->retry_step = session->step + 1;
        return true;
    }
    double start = clock_seconds();
    cadence_begin(&session->cadence, leave ? 0 : due, start);
    bool saved = save(session, leave ? reason_of(session, flags) : "running", error);
    if (saved)
        note_cost(session, clock_seconds() - start);
    /* A disk may have room again later; a state that is wrong stays wrong. */
    return saved || (!leave && error->kind != ERROR_STATE);
}

static bool train(struct session *session, unsigned *flags, struct error *error)
{
    struct progress progress = {0};
    while (!is_finished(session) && !(*flags & PREEMPTION_LEAVE)) {
        struct step_numbers numbers;
        double start = clock_seconds();
        /* A state whose next step diverges is not saved: it may be spoilt already, and would push out a good one. */
        if (!make_step(session, &numbers, flags, error))
            return false;
        progress_step(&progress, session, &numbers, clock_seconds() - start);
        if (progress.steps_all == 1)
            progress_ready(session);
        if (!boundary(session, *flags, error))
            return false;
    }
    return true;
}

/* Local. `failure`: NULL if there is none. */
static void tell_end(struct session *session, const char *reason, unsigned flags, const struct error *failure)
{
    struct text words;
    text_init(&words);
    text_append(&words, "%s%s%s", reason, failure ? ": " : "", failure ? failure->text : "");
    progress_end(session, reason, text_bytes(&words),
                 failure || (!is_finished(session) && (flags & PREEMPTION_SIGNALS)));
    text_release(&words);
}

bool trainer_run(const struct world *world, const struct job *job, const struct session_options *options,
                 struct trainer_outcome *outcome, struct error *error)
{
    struct session session;
    unsigned flags = 0;
    bool ok = true;
    if (!session_open(&session, world, job, options, error))
        return false;
    bool nothing_left = is_finished(&session);
    if (nothing_left) {
        log_info("step %" PRIu64 " of %" PRIu64 ": the job is already finished%s", session.step, job->train.steps,
                 session.step < job->train.steps ? " (early_stopping; a larger patience would let it go on)" : "");
    } else {
        progress_begin(&session);
        ok = train(&session, &flags, error);
    }
    const char *reason = ok ? reason_of(&session, flags) : "failed";
    if (!nothing_left)
        tell_end(&session, reason, flags, ok ? NULL : error);
    *outcome = (struct trainer_outcome){.finished = is_finished(&session),
                                        .step = session.step,
                                        .loss = session.loss,
                                        .fingerprint = session.record.fingerprint};
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
    session_close(&session);
    return ok;
}
