#include "train/trainer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/partition.h"
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
    size_t size = (size_t)session->world->size, rank = (size_t)session->world->rank;
    size_t rows = session->job->train.microbatch;
    for (size_t leaf = partition_first(tally->items, size, rank); leaf < partition_first(tally->items, size, rank + 1);
         leaf++) {
        double *sums = tally_item(tally, leaf);
        sampler_indices(&session->sampler, step, leaf * rows, rows, session->indices);
        dataset_read(&session->train, session->indices, rows, session->model.input, session->model.labels);
        model_train_leaf(&session->model, session_params(session), rows, exchange_leaf(session->exchange), &sums[0],
                         &sums[1]);
        exchange_leaf_done(session->exchange);
    }
}

/* The owner's update: the parts of all tensors that lie in this rank's shard. */
static void update_shard(struct session *session, const struct optimizer_step *numbers, const float *gradient)
{
    const struct optimizer_spec *spec = &session->job->optimizer;
    const struct tensor_table *table = &session->model.table;
    struct shard shard = session->shard;
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *tensor = &table->tensors[t];
        size_t first = tensor->offset > shard.first ? tensor->offset : shard.first;
        size_t end = tensor->offset + tensor->count, shard_end = shard.first + shard.count;
        end = end < shard_end ? end : shard_end;
        if (first >= end)
            continue;
        float *moments[OPTIMIZER_MOMENTS];
        for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
            moments[k] = session->moments[k] ? session->moments[k] + (first - shard.first) : NULL;
        optimizer_classes[spec->kind]->update(spec, numbers, tensor->decays, end - first,
                                              session_params(session) + first, gradient + (first - shard.first),
                                              moments);
    }
}

/* A NaN's sign means nothing, but is printed. */
static double without_sign(double number)
{
    return isnan(number) ? fabs(number) : number;
}

/* Collective. One step; `flags` is what any rank was asked from outside. A loss or gradient that is not finite stops
 * here, before the update: the state is still that of the step before. */
static bool make_step(struct session *session, struct step_numbers *numbers, unsigned *flags, struct error *error)
{
    const struct job *job = session->job;
    const float *gradient;
    uint64_t step = session->step + 1;
    train_leaves(session, step);
    *flags = tally_share(&session->tally, preemption_flags());
    numbers->loss = tally_sum(&session->tally, 0) / (double)job->train.batch;
    numbers->gradient_norm = exchange_reduce(session->exchange, (double)job->train.batch, &gradient);
    numbers->learning_rate = job->optimizer.learning_rate * schedule_factor(&job->schedule, step, job->train.steps);
    if (!isfinite(numbers->loss) || !isfinite(numbers->gradient_norm))
        return error_set(error, ERROR_STATE,
                         "step %" PRIu64
                         ": the loss is %g and the gradient norm %g: stopped before the update. A smaller "
                         "optimizer.learning_rate, a clip_norm or a longer warmup may help",
                         step, without_sign(numbers->loss), without_sign(numbers->gradient_norm));
    bool clip = job->clip_norm > 0 && numbers->gradient_norm > job->clip_norm;
    struct optimizer_step update = {.step = step,
                                    .learning_rate = numbers->learning_rate,
                                    .gradient_scale = clip ? (float)(job->clip_norm / numbers->gradient_norm) : 1};
    update_shard(session, &update, gradient);
    exchange_distribute(session->exchange);
    session->step = step;
    session->loss = numbers->loss;
    return true;
}

static bool is_due(uint64_t every, uint64_t step)
{
    return every > 0 && step % every == 0;
}

/* Collective. What is due between this step and the next. False if the state has to be saved now and cannot be, or must
 * not be. */
static bool boundary(struct session *session, unsigned flags, struct error *error)
{
    const struct job *job = session->job;
    bool last = session->step == job->train.steps, leave = last || flags != 0;
    if (session->validation.count > 0 && is_due(job->validate.every, session->step)) {
        struct evaluation evaluation = evaluator_run(&session->evaluator, &session->model, session_params(session));
        progress_validation(session, &evaluation);
    }
    if (!leave && !is_due(job->checkpoint.every, session->step) && session->retry_step != session->step)
        return true;
    bool saved = save(session, last ? "finished" : leave ? preemption_reason(flags) : "running", error);
    /* A disk may have room again later; a state that is wrong stays wrong. */
    return saved || (!leave && error->kind != ERROR_STATE);
}

static bool train(struct session *session, unsigned *flags, struct error *error)
{
    struct progress progress = {0};
    while (session->step < session->job->train.steps && !*flags) {
        struct step_numbers numbers;
        double start = clock_seconds();
        /* A state whose next step diverges is not saved: it may be spoilt already, and would push out a good one. */
        if (!make_step(session, &numbers, flags, error))
            return false;
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
    bool nothing_left = session.step == job->train.steps;
    if (nothing_left) {
        log_info("step %" PRIu64 " of %" PRIu64 ": the job is already finished", session.step, job->train.steps);
    } else {
        progress_begin(&session);
        ok = train(&session, &flags, error);
    }
    bool finished = session.step == job->train.steps;
    const char *reason = !ok ? "failed" : finished ? "finished" : preemption_reason(flags);
    if (!nothing_left)
        progress_end(&session, reason);
    *outcome = (struct trainer_outcome){
        .finished = finished, .step = session.step, .loss = session.loss, .fingerprint = session.record.fingerprint};
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
    session_close(&session);
    return ok;
}
