#include "train/validation.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/partition.h"
#include "base/watchdog.h"
#include "policy/best.h"
#include "policy/flags.h"
#include "policy/plateau.h"
#include "policy/preemption.h"
#include "train/data_watch.h"
#include "train/progress.h"

#include <math.h>
#include <string.h>

#define SOUND_BATCHES 100 /* that are tried at most, to find the state sound */

/* Collective. The parameters and their average change places, on all ranks. */
static void swap_average(struct session *session)
{
    float *params = session->learner.used.params;
    exchange_settle(session->learner.exchange);
    for (size_t i = 0; i < session->learner.shard.count; i++) {
        float kept = params[i];
        params[i] = session->learner.used.average[i];
        session->learner.used.average[i] = kept;
    }
    exchange_distribute(session->learner.exchange);
}

/* Collective. From here on the node's parameters are the average. A save that has the used arrays does not let go of
 * them for that: then the other copy, which it leaves alone until the next update, is filled. One that was begun some
 * steps ago has the other copy. */
static void show_average(struct session *session)
{
    if (!session->saving.now.has_arrays) {
        swap_average(session);
        return;
    }
    memcpy(session->learner.other.params, session->learner.used.average, session->learner.shard.count * sizeof(float));
    exchange_turn(session->learner.exchange);
    exchange_distribute(session->learner.exchange);
}

/* Collective. All ranks are done with the average. */
static void hide_average(struct session *session)
{
    if (session->saving.now.has_arrays)
        exchange_turn(session->learner.exchange);
    else
        swap_average(session);
}

/* While a validation runs. */
struct hearing {
    struct session *session;
    unsigned flags; /* what any rank was asked from outside */
};

/* What this rank has heard; for the saver also the sign that the job goes on. */
static unsigned listen(void *context)
{
    struct hearing *hearing = context;
    struct session *session = hearing->session;
    struct deadline *deadline = &session->deadline;
    unsigned flags = preemption_wishes_to_leave();
    saver_look(session->saving.saver);
    if (session->world->rank == 0) {
        deadline_look(deadline, session->job->run, false, clock_seconds());
        flags |= deadline_flags(deadline, 0, session_save_needs(session), clock_seconds()) |
                 deadline_announced(deadline);
    }
    return flags;
}

static bool heed(void *context, unsigned flags)
{
    struct hearing *hearing = context;
    hearing->flags = deadline_weigh(&hearing->session->deadline, flags, clock_seconds());
    return hearing->flags & LEAVE_ALL;
}

bool validation_make(struct session *session, unsigned *flags, size_t *rank)
{
    bool averaged = session->job->validate.ema && session->learner.used.average;
    struct evaluation evaluation;
    struct hearing hearing = {.session = session};
    session->evaluator.sign = listen;
    session->evaluator.heed = heed;
    session->evaluator.context = &hearing;
    if (averaged)
        show_average(session);
    fault_at(FAULT_VALIDATING, session->step);
    training_data_rest(&session->data);
    bool is_made = evaluator_run(&session->evaluator, &session->learner.model, learner_params(&session->learner),
                                 &evaluation);
    session->evaluator.context = NULL;
    if (averaged)
        hide_average(session);
    *flags |= hearing.flags;
    if (!is_made) {
        progress_validation_left(session);
        return false;
    }
    unsigned wrong = data_watch_validated(session);
    *flags |= wrong;
    if (wrong != 0)
        return false;
    plateau_consider(session->job, &session->record.history, &evaluation, session->step);
    *rank = best_consider(session->job, &session->record.history, &evaluation, session->step);
    progress_validation(session, &evaluation, *rank);
    fault_at(FAULT_VALIDATED, session->step);
    return true;
}

/* Collective. How many leaves of the batch that begins at this place of the row have a finite loss. */
static double count_finite(struct session *session, uint64_t position)
{
    struct tally *tally = &session->learner.tally;
    struct model *model = &session->learner.model;
    size_t size = (size_t)session->world->size, rank = (size_t)session->world->rank;
    size_t rows = session->job->train.microbatch;
    for (size_t leaf = partition_first(tally->items, size, rank); leaf < partition_first(tally->items, size, rank + 1);
         leaf++) {
        struct loss_sums sums;
        struct leaf_place place = training_data_place(&session->data, position, leaf, rows);
        training_data_take(&session->data, &place, NULL, &model->leaf);
        model_evaluate_leaf(model, learner_params(&session->learner), &sums, NULL);
        tally_item(tally, leaf)[LEAF_LOSS] = isfinite(sums.loss) ? 1 : 0;
    }
    tally_share(tally, 0);
    return tally_sum(tally, LEAF_LOSS);
}

bool validation_finds_state_sound(struct session *session)
{
    const struct sampler *sampler = &session->data.sampler;
    const struct history *history = &session->record.history;
    uint64_t batch = sampler->batch, taken = session->step - history->skipped_row;
    double leaves = (double)session->learner.tally.items;
    if (history->updates == 0) /* of all steps: nothing was trained */
        return false;
    if (taken > sampler->first_step)
        return count_finite(session, sampler_taken(sampler, taken - 1)) == leaves;
    /* No step was taken since the batch has changed, and where the batch of the last one lies is not known any more:
     * somewhere in the row before the change, behind it only those that were skipped. A batch of the new size may have
     * samples of these in it at every place. A state that is spoilt gives no finite loss for any sample; so it is
     * enough that most leaves have one, and we go back until they do, or have seen all samples. */
    uint64_t most = sampler->samples / batch + 1, position = sampler->first_sample;
    for (uint64_t tried = 0; tried < most && tried < SOUND_BATCHES && (tried == 0 || position > 0); tried++) {
        position = position > batch ? position - batch : 0;
        if (count_finite(session, position) > leaves / 2)
            return true;
    }
    return false;
}
