/* Validation: the model over a whole dataset, cut into fixed chunks of one microbatch (the last may be smaller), which
 * the ranks share. What metrics are made of is summed along the tree over the chunks: equal bits for every number of
 * ranks. */
#ifndef TRAIN_EVALUATOR_H
#define TRAIN_EVALUATOR_H

#include "data/prefetch.h"
#include "nn/meter.h"
#include "nn/model.h"
#include "parallel/column_sums.h"
#include "parallel/tally.h"
#include "policy/evaluation.h"

struct evaluator_options {
    struct meter_options meter;        /* its scale: that of the targets' standard, if they are standardised */
    const struct output_watch *viewer; /* who sees the outputs, too, of this rank's chunks; NULL: nobody. Borrowed */
};

struct evaluator {
    const struct dataset *dataset;     /* borrowed */
    const struct output_watch *viewer; /* see options */
    struct tally tally;                /* an item a chunk: the sums of its terms */
    struct meter meter;                /* behind a run: its counts and its confusion matrix, of all ranks, on all */
    struct column_sums shifts;         /* of the targets, until `spread` is known */
    double spread;                     /* of them (metric_totals); NaN: not known yet, or not wanted */
    struct prefetch *ahead;            /* the next chunk */
    size_t round; /* chunks a rank between two talks of the ranks; equal on all, and kept for the next */
    /* A validation may be long. sign: NULL, or called before each chunk, a sign of life; returns this rank's flags
     * (policy/flags.h). heed: called on all ranks at the same place, now and then, with the flags of all together;
     * true, which has to be the same on every rank, gives the validation up. */
    unsigned (*sign)(void *context);
    bool (*heed)(void *context, unsigned flags);
    void *context;
};

/* Local. The model is one like that which will be run: its loss, form and rows, which are those of a chunk. The dataset
 * is borrowed; options NULL: none. Release it after failure too; release accepts a released one. */
bool evaluator_init(struct evaluator *evaluator, const struct world *world, const struct dataset *dataset,
                    const struct model *model, const struct evaluator_options *options,
                    struct error *error) WARN_UNUSED;
void evaluator_release(struct evaluator *evaluator);

/* Collective over world; params hold equal bits on every rank. False, on every rank, if it was given up: then there is
 * no evaluation. Talking does not change the numbers. */
bool evaluator_run(struct evaluator *evaluator, struct model *model, const float *params,
                   struct evaluation *evaluation) WARN_UNUSED;

#endif
