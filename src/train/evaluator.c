#include "train/evaluator.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/partition.h"
#include "policy/flags.h"

#include <math.h>
#include <string.h>

#define ROUND_S 0.1 /* from one talk of the ranks to the next, at least, ... */
#define LONG_S  0.5 /* ... and at most: between them a busy machine does not make the ranks talk more */

bool evaluator_init(struct evaluator *evaluator, const struct world *world, const struct dataset *dataset,
                    const struct model *model, const struct evaluator_options *options, struct error *error)
{
    size_t chunks = (dataset->count + model->rows - 1) / model->rows;
    *evaluator = (struct evaluator){
        .dataset = dataset, .viewer = options ? options->viewer : NULL, .spread = NAN, .round = 1};
    return prefetch_open(&evaluator->ahead, &model->form, model->rows, "the validation data", error) &&
           tally_init(&evaluator->tally, world, chunks, METRIC_SUMS, error) &&
           meter_init(&evaluator->meter, model->loss.class, &model->form, options ? &options->meter : NULL, error) &&
           (!evaluator->meter.reference ||
            column_sums_init(&evaluator->shifts, world, chunks, model->form.terms, error));
}

void evaluator_release(struct evaluator *evaluator)
{
    tally_release(&evaluator->tally);
    meter_release(&evaluator->meter);
    column_sums_release(&evaluator->shifts);
    prefetch_close(evaluator->ahead);
    memset(evaluator, 0, sizeof *evaluator);
}

static struct leaf_place place_of(const struct evaluator *evaluator, const struct model *model, size_t chunk)
{
    size_t first = chunk * model->rows, left = evaluator->dataset->count - first;
    return (struct leaf_place){.dataset = evaluator->dataset,
                               .position = first,
                               .rows = left < model->rows ? left : model->rows,
                               .first = first};
}

/* That samples are not what they were, the dataset knows in the end. */
static void read(struct evaluator *evaluator, struct model *model, const struct leaf_place *place,
                 const struct leaf_place *next)
{
    (void)!prefetch_take(evaluator->ahead, place, next, &model->leaf);
}

/* Whoever sees the outputs. */
static void see(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width, const float *outputs)
{
    struct evaluator *evaluator = context;
    meter_see(&evaluator->meter, leaf, first_term, n, width, outputs);
    if (evaluator->viewer)
        evaluator->viewer->see(evaluator->viewer->context, leaf, first_term, n, width, outputs);
}

/* Whether this run has to find out how far the targets spread: a property of the data, found once. */
static bool wants_spread(const struct evaluator *evaluator)
{
    return evaluator->shifts.columns > 0 && isnan(evaluator->spread);
}

static void begin(struct evaluator *evaluator, struct model *model)
{
    const struct standard *standard = &evaluator->dataset->about.target_standard;
    meter_begin(&evaluator->meter);
    if (standard->columns > 0)
        evaluator->meter.scale = standard->scale;
    if (!wants_spread(evaluator))
        return;
    column_sums_begin(&evaluator->shifts);
    struct leaf_place place = {.dataset = evaluator->dataset, .rows = 1};
    read(evaluator, model, &place, NULL); /* on every rank: all shift by the same sample */
    meter_refer(&evaluator->meter, &model->leaf);
}

/* Local. The sums of one chunk of this rank, whose chunks end before `end`. */
static void evaluate(struct evaluator *evaluator, struct model *model, const float *params, size_t chunk, size_t end)
{
    struct leaf_place place = place_of(evaluator, model, chunk);
    struct leaf_place next = chunk + 1 < end ? place_of(evaluator, model, chunk + 1) : (struct leaf_place){0};
    bool wants = wants_spread(evaluator);
    const struct output_watch viewer = {.see = see, .context = evaluator};
    struct loss_sums sums;
    read(evaluator, model, &place, chunk + 1 < end ? &next : NULL);
    meter_begin_leaf(&evaluator->meter, wants ? column_sums_next(&evaluator->shifts) : NULL);
    model_evaluate_leaf(model, params, &sums, &viewer);
    if (wants)
        column_sums_add(&evaluator->shifts);
    meter_end_leaf(&evaluator->meter, &sums, tally_item(&evaluator->tally, chunk));
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
            evaluate(evaluator, model, params, first + done, first + own);
        if (++in_round < evaluator->round || done + 1 == most) /* at the end there is nothing left to give up */
            continue;
        if (talk(evaluator, clock_seconds() - start))
            return false;
        in_round = 0;
        start = clock_seconds();
    }
    return true;
}

/* Collective. What all ranks have counted, once each of them is through. */
static void find_totals(struct evaluator *evaluator, struct metric_totals *totals)
{
    struct tally *tally = &evaluator->tally;
    struct meter *meter = &evaluator->meter;
    size_t K = meter->classes;
    tally_share(tally, 0);
    for (size_t sum = 0; sum < METRIC_SUMS; sum++)
        totals->sums[sum] = tally_sum(tally, sum);
    if (wants_spread(evaluator))
        evaluator->spread = meter_spread(meter, totals->sums[SUM_SHIFTED], column_sums_share(&evaluator->shifts),
                                         (double)evaluator->dataset->count);
    if (meter->counts)
        world_sum(tally->world, (uint64_t *)(void *)meter->counts, K * sizeof *meter->counts / sizeof(uint64_t));
    if (meter->confusion)
        world_sum(tally->world, meter->confusion, K * K);
    totals->spread = evaluator->spread;
    totals->counts = meter->counts;
    totals->classes = K;
}

bool evaluator_run(struct evaluator *evaluator, struct model *model, const float *params, struct evaluation *evaluation)
{
    const struct meter *meter = &evaluator->meter;
    struct metric_totals totals;
    begin(evaluator, model);
    bool is_made = evaluate_all(evaluator, model, params);
    prefetch_rest(evaluator->ahead);
    if (!is_made)
        return false;
    find_totals(evaluator, &totals);
    *evaluation = (struct evaluation){.is_constant = evaluator->spread <= 0};
    for (enum metric_kind metric = METRIC_LOSS; metric < METRIC_KINDS; metric++) {
        evaluation->fits[metric] = meter->fits[metric];
        evaluation->values[metric] = meter->fits[metric] ? metric_value(metric, &totals) : (double)NAN;
    }
    return true;
}
