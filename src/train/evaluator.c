#include "train/evaluator.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/watchdog.h"
#include "policy/flags.h"

#include <math.h>
#include <string.h>

#define ROUND_S 0.1 /* from one talk of the ranks to the next, at least, ... */
#define LONG_S  0.5 /* ... and at most: between them a busy machine does not make the ranks talk more */

bool evaluator_init(struct evaluator *evaluator, const struct world *world, const struct dataset *dataset, size_t rows,
                    struct error *error)
{
    *evaluator = (struct evaluator){.dataset = dataset, .round = 1};
    evaluator->indices = memory_need(rows, sizeof *evaluator->indices);
    return tally_init(&evaluator->tally, world, (dataset->count + rows - 1) / rows, 3, error);
}

void evaluator_release(struct evaluator *evaluator)
{
    tally_release(&evaluator->tally);
    memory_free(evaluator->indices);
    memset(evaluator, 0, sizeof *evaluator);
}

/* Local. Loss, hits and terms of one chunk. */
static void evaluate(struct evaluator *evaluator, struct model *model, const float *params, size_t chunk)
{
    size_t first = chunk * model->rows, left = evaluator->dataset->count - first;
    size_t rows = left < model->rows ? left : model->rows;
    struct loss_sums sums;
    for (size_t i = 0; i < rows; i++)
        evaluator->indices[i] = first + i;
    watchdog_begin("the validation data", 0);
    dataset_read(evaluator->dataset, evaluator->indices, rows, &model->leaf);
    watchdog_end();
    model->leaf.first = first;
    model_evaluate_leaf(model, params, &sums);
    double *item = tally_item(&evaluator->tally, chunk);
    item[0] = sums.loss;
    item[1] = sums.hits;
    item[2] = sums.terms;
}

/* Collective. The end of a round that has taken this rank so long. Whether to give up. The next round is longer if this
 * one was short for all, and shorter if it was long for some: a short validation is soon one round, and costs no talk.
 */
static bool talk(struct evaluator *evaluator, double seconds)
{
    unsigned own = evaluator->sign ? evaluator->sign(evaluator->context) : 0;
    own |= (seconds > ROUND_S ? EVALUATOR_IS_FULL : 0) | (seconds > LONG_S ? EVALUATOR_IS_SLOW : 0);
    unsigned all = world_union(evaluator->tally.world, own);
    if ((all & EVALUATOR_IS_SLOW) && evaluator->round > 1)
        evaluator->round /= 2;
    if (!(all & EVALUATOR_IS_FULL) && evaluator->round < evaluator->tally.items)
        evaluator->round *= 2;
    return evaluator->heed &&
           evaluator->heed(evaluator->context, all & ~(unsigned)(EVALUATOR_IS_FULL | EVALUATOR_IS_SLOW));
}

/* Collective. All chunks, in rounds of equally many chunks a rank. False if it was given up. */
static bool evaluate_all(struct evaluator *evaluator, struct model *model, const float *params)
{
    const struct tally *tally = &evaluator->tally;
    size_t size = (size_t)tally->world->size, rank = (size_t)tally->world->rank;
    size_t first = partition_first(tally->items, size, rank), own = partition_count(tally->items, size, rank);
    size_t most = (tally->items + size - 1) / size; /* chunks of the rank that has most */
    double start = clock_seconds();
    for (size_t done = 0, in_round = 0; done < most; done++) {
        if (evaluator->sign)
            evaluator->sign(evaluator->context);
        if (done < own)
            evaluate(evaluator, model, params, first + done);
        if (++in_round < evaluator->round || done + 1 == most) /* at the end there is nothing left to give up */
            continue;
        if (talk(evaluator, clock_seconds() - start))
            return false;
        in_round = 0;
        start = clock_seconds();
    }
    return true;
}

bool evaluator_run(struct evaluator *evaluator, struct model *model, const float *params, struct evaluation *evaluation)
{
    struct tally *tally = &evaluator->tally;
    if (!evaluate_all(evaluator, model, params))
        return false;
    tally_share(tally, 0);
    double terms = tally_sum(tally, 2), loss = tally_sum(tally, 0) / terms;
    *evaluation = (struct evaluation){.loss = isnan(loss) ? (double)NAN : loss, /* its sign would be printed */
                                      .accuracy = model->loss.class->has_hits ? tally_sum(tally, 1) / terms : NAN};
    return true;
}
