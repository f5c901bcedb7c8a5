#include "train/trainer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/partition.h"
#include "train/best.h"
#include "train/guard.h"
#include "train/preemption.h"
#include "train/progress.h"
#include "train/save.h"
#include "train/session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define FLAG_SAVING 0x80000000u /* beside those of preemption.h: this rank still works on a save */

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

/* Tells how much longer an update has taken because of a save, and remembers how long others take. */
static void note_update(struct session *session, double seconds)
{
    double usual = session->update_s;
    if (!session->save.frozen)
        session->update_s = usual > 0 ? 0.9 * usual + 0.1 * seconds : seconds;
    else if (usual > 0 && seconds > usual)
        session->save.stall_s += seconds - usual;
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
    bool frozen = session->save.frozen;
    update_run(&session->update, &session->used, frozen ? &session->other : &session->used, gradient, &update_numbers);
    note_update(session, clock_seconds() - start);
    if (frozen) {
        session_turn(session);
        session->save.frozen = false;
    }
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
    *flags = tally_share(&session->tally, preemption_flags() | (save_is_busy(session) ? FLAG_SAVING : 0));
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

/* Collective. *best becomes true if it is the best so far. False as save_finish. */
static bool validate(struct session *session, bool *best, struct error *error)
{
    bool averaged = session->job->validate.ema && session->used.average;
    if (averaged && session->save.frozen && !save_finish(session, error))
        return false;
    if (averaged)
        swap_average(session);
    struct evaluation evaluation = evaluator_run(&session->evaluator, &session->model, session_params(session));
    if (averaged)
        swap_average(session);
    *best = best_consider(session->job, &session->record.history, &evaluation, session->step);
    progress_validation(session, &evaluation, *best);
    return true;
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

/* Collective. A save that is due now, with the job going on. False as save_begin. */
static bool save_on_the_way(struct session *session, bool best, struct error *error)
{
    /* After a skipped step the state may be spoilt: nothing shows that it is not before the next step is taken. */
    if (session->record.history.skipped_row > 0) {
        session->retry_step = session->step + 1;
        return true;
    }
    if (session->save.runs && !session->save.is_copy && session->job->checkpoint.busy == BUSY_SKIP && !best) {
        log_info("step %" PRIu64 " is not saved: an earlier save still runs", session->step);
        return true;
    }
    return save_begin(session, error);
}

/* Collective. What is due between this step and the next. False if the state has to be saved now and cannot be, or must
 * not be. */
static bool boundary(struct session *session, unsigned flags, struct error *error)
{
    const struct job *job = session->job;
    if (!(flags & FLAG_SAVING) && !save_settle(session, error))
        return false;
    bool due = is_due(job->checkpoint.every, session->step) || session->retry_step == session->step, best = false;
    if (session->validation.count > 0 && is_due(job->validate.every, session->step) && !validate(session, &best, error))
        return false;
    best = best && best_is_kept(job);
    if (!is_finished(session) && !(flags & PREEMPTION_ALL)) {
        if (due || best)
            return save_on_the_way(session, best, error);
        save_copies(session);
        return true;
    }
    if (is_finished(session) && !isfinite(session->loss))
        return error_set(error, ERROR_STATE,
                         "step %" PRIu64
                         " is the last, and its loss is %g: not saved. Go back to an earlier checkpoint "
                         "with a smaller optimizer.learning_rate, a clip_norm or a longer warmup",
                         session->step, session->loss);
    return save_last(session, reason_of(session, flags), error);
}

/* Collective. A step has diverged: what is still being written of the steps before it is brought to its end. */
static void finish_saving(struct session *session)
{
    struct error error;
    if (!save_finish(session, &error))
        log_warn("%s", error.text);
}

static bool train(struct session *session, unsigned *flags, struct error *error)
{
    struct progress progress = {0};
    if (is_finished(session)) /* by what was only in copies on the nodes */
        return save_last(session, reason_of(session, *flags), error);
    while (!is_finished(session) && !(*flags & PREEMPTION_ALL)) {
        struct step_numbers numbers;
        double start = clock_seconds();
        /* A state whose next step diverges is not saved: it may be spoilt already, and would push out a good one. */
        if (!make_step(session, &numbers, flags, error)) {
            finish_saving(session);
            return false;
        }
        progress_step(&progress, session, &numbers, clock_seconds() - start);
        if (!boundary(session, *flags, error))
            return false;
    }
    return true;
}

bool trainer_run(const struct world *world, const struct job *job, const struct session_options *options,
                 struct trainer_outcome *outcome, struct error *error)
{
    struct session session;
    unsigned flags = 0;
    bool ok = true;
    if (!session_open(&session, world, job, options, error))
        return false;
    bool nothing_left = is_finished(&session) && session.saved_step == session.step;
    if (nothing_left) {
        log_info("step %" PRIu64 " of %" PRIu64 ": the job is already finished%s", session.step, job->train.steps,
                 session.step < job->train.steps ? " (early_stopping; a larger patience would let it go on)" : "");
    } else {
        progress_begin(&session);
        ok = train(&session, &flags, error);
    }
    if (!ok && error->kind == ERROR_LATE)
        return false;
    if (ok) /* all is in a file */
        local_clear(&session.local);
    const char *reason = ok ? reason_of(&session, flags) : "failed";
    if (!nothing_left)
        progress_end(&session, reason);
    *outcome = (struct trainer_outcome){.finished = is_finished(&session),
                                        .step = session.step,
                                        .loss = session.loss,
                                        .fingerprint = session.record.fingerprint};
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
    session_close(&session);
    return ok;
}
