#include "train/step.h"

#include "base/clock.h"
#include "base/partition.h"
#include "base/timeline.h"
#include "job/length.h"
#include "policy/guard.h"
#include "policy/plateau.h"
#include "policy/preemption.h"
#include "train/boundary.h"
#include "train/data_watch.h"
#include "train/memory_watch.h"
#include "train/run_directory.h"
#include "train/save.h"

#include <math.h>

/* A part of the parameters is wanted, which other nodes may still be sending. */
static void await_wanted(void *context, size_t tensor)
{
    const struct learner *learner = context;
    const struct tensor *part = &learner->model.table.tensors[tensor];
    exchange_await(learner->exchange, part->offset, part->count);
}

/* A part of the leaf's gradient is what it will be. */
static void note_final(void *context, size_t tensor)
{
    const struct learner *learner = context;
    const struct tensor *part = &learner->model.table.tensors[tensor];
    exchange_leaf_final(learner->exchange, part->offset, part->room);
}

static struct leaf_place place_of(const struct session *session, uint64_t step, size_t leaf)
{
    const struct training_data *data = &session->data;
    return training_data_place(data, sampler_taken(&data->sampler, step - 1), leaf, session->job->train.microbatch);
}

/* A leaf of this rank, which has [first, end), with its samples. Behind it comes the next, or the first one of the next
 * step, if this run will get there as far as it knows. */
static void take_leaf(struct session *session, uint64_t step, size_t leaf, size_t first, size_t end)
{
    bool is_last = leaf + 1 == end, ends = step >= session->steps || step >= session->pause.step;
    struct leaf_place place = place_of(session, step, leaf);
    struct leaf_place next = is_last ? place_of(session, step + 1, first) : place_of(session, step, leaf + 1);
    timeline_begin(MARK_SAMPLES);
    training_data_take(&session->data, &place, is_last && ends ? NULL : &next, &session->learner.model.leaf);
    timeline_end();
}

/* Forward and backward of this rank's leaves; their gradients go to the exchange, their losses to the tally. */
static void train_leaves(struct session *session, uint64_t step)
{
    struct tally *tally = &session->learner.tally;
    struct model *model = &session->learner.model;
    size_t size = (size_t)session->world->size, rank = (size_t)session->world->rank;
    size_t first = partition_first(tally->items, size, rank), end = partition_first(tally->items, size, rank + 1);
    const struct tensor_watch watch = {.is_wanted = await_wanted, .is_final = note_final, .context = &session->learner};
    for (size_t leaf = first; leaf < end; leaf++) {
        struct loss_sums sums;
        double waited_s = session->data.waited_s;
        take_leaf(session, step, leaf, first, end);
        waited_s = session->data.waited_s - waited_s;
        model_train_leaf(model, exchange_params(session->learner.exchange), step,
                         exchange_leaf(session->learner.exchange), &sums, &watch);
        tally_item(tally, leaf)[LEAF_LOSS] = sums.loss;
        tally_item(tally, leaf)[LEAF_TERMS] = sums.terms;
        tally_item(tally, leaf)[LEAF_WAITED_S] = waited_s;
        tally_item(tally, leaf)[LEAF_CORE_SHARE] = leaf + 1 == end ? core_watch_share(&session->cores, step) : 0;
    }
}

/* How long the rank has waited for its samples that has waited longest: the others then wait for that one. */
static double find_wait(const struct tally *tally)
{
    size_t size = (size_t)tally->world->size;
    double most_s = 0;
    for (size_t rank = 0, leaf = 0; rank < size; rank++) {
        double waited_s = 0;
        for (; leaf < partition_first(tally->items, size, rank + 1); leaf++)
            waited_s += tally->values[leaf * tally->columns + LEAF_WAITED_S];
        most_s = fmax(most_s, waited_s);
    }
    return most_s;
}

/* A NaN's sign means nothing, but is printed. */
static double without_sign(double number)
{
    return isnan(number) ? fabs(number) : number;
}

/* All terms of the batch, of which the exchange makes means, to those that count: labels may be ignored. Running
 * statistics are means over all, in any case. */
static double share_of_terms(const struct session *session)
{
    double counted = tally_sum(&session->learner.tally, LEAF_TERMS);
    return counted > 0 ? session_batch_terms(session) / counted : 1;
}

/* Tells how much longer an update has taken because of a save, and remembers how long others take. */
static void note_update(struct session *session, double seconds)
{
    double usual = session->learner.update_s;
    if (!session->saving.now.has_arrays)
        session->learner.update_s = usual > 0 ? 0.9 * usual + 0.1 * seconds : seconds;
    else if (usual > 0 && seconds > usual)
        session->saving.now.stall_s += seconds - usual;
}

/* Collective. The owner's update of this rank's shard, and the new parameters to all; `share` as share_of_terms. If a
 * save has the used arrays, they stay as they are, and the update goes to the others. Before a save all is proven: so
 * all is summed now. */
static void update(struct session *session, const struct step_numbers *numbers, double share, unsigned flags,
                   float *gradient)
{
    const struct job *job = session->job;
    bool clip = job->clip_norm > 0 && numbers->gradient_norm > job->clip_norm;
    const struct update_numbers update_numbers = {
        .number = session->record.history.updates,
        .learning_rate = numbers->learning_rate,
        .gradient_scale = (float)(clip ? share * (job->clip_norm / numbers->gradient_norm) : share),
        .average_decay = schedule_average_decay(job->ema, job->ema_warmup, session->record.history.updates),
        .sums_all = boundary_may_save(session, session->step + 1, flags),
    };
    double start = clock_seconds();
    bool is_saved = session->saving.now.has_arrays;
    timeline_begin(MARK_UPDATE);
    update_run(&session->learner.update, &session->learner.used,
               is_saved ? &session->learner.other : &session->learner.used, gradient, &update_numbers);
    timeline_end();
    memory_watch_note(session);
    note_update(session, clock_seconds() - start);
    if (is_saved) {
        learner_turn(&session->learner);
        session->saving.now.has_arrays = false;
    }
    exchange_distribute(session->learner.exchange);
}

bool step_make(struct session *session, struct step_numbers *numbers, unsigned *flags, struct error *error)
{
    const struct job *job = session->job;
    float *gradient;
    uint64_t step = session->step + 1;
    train_leaves(session, step);
    unsigned own = preemption_flags() | pause_flags(&session->pause, session->world->rank, step, clock_seconds()) |
                   save_flags(session) | data_watch_flags(session) | memory_watch_flags(session);
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
    if (*flags & MEMORY_IS_WRONG)
        return memory_watch_agree(session, error);
    double terms = session_batch_terms(session), share = share_of_terms(session);
    numbers->loss = without_sign(tally_sum(&session->learner.tally, LEAF_LOSS) / terms * share);
    numbers->data_wait_s = find_wait(&session->learner.tally);
    numbers->gradient_norm = without_sign(exchange_reduce(session->learner.exchange, terms, &gradient) * share);
    numbers->learning_rate = length_learning_rate(job, &session->data.sampler, session->steps, step) *
                             plateau_factor(job, &session->record.history);
    enum guard_verdict verdict = guard_judge(job, &session->record.history, step, numbers->loss, numbers->gradient_norm,
                                             error);
    numbers->skipped = verdict == GUARD_SKIP;
    struct error memory; /* which may be why */
    if (verdict != GUARD_TAKE && !memory_watch_prove(session, &memory)) {
        *error = memory;
        return false;
    }
    if (verdict == GUARD_STOP)
        return false;
    if (verdict == GUARD_SKIP)
        progress_skipped(session, step, numbers, error);
    else
        update(session, numbers, share, *flags, gradient);
    session->step = step;
    session->loss = numbers->loss;
    return true;
}
