/* Validation: the model over a whole dataset, cut into fixed chunks of one microbatch (the last may be smaller), which
 * the ranks share. Loss and hits are summed along the tree over the chunks: equal bits for every number of ranks. */
#ifndef TRAIN_EVALUATOR_H
#define TRAIN_EVALUATOR_H

#include "data/dataset.h"
#include "nn/model.h"
#include "parallel/tally.h"
#include "policy/evaluation.h"

struct evaluator {
    const struct dataset *dataset; /* borrowed */
    struct tally tally;            /* an item a chunk: loss, hits, terms */
    uint64_t *indices;             /* [model->rows] */
    size_t round; /* chunks a rank between two talks of the ranks; equal on all, and kept for the next */
    /* A validation may be long. sign: NULL, or called before each chunk, a sign of life; returns this rank's flags
     * (policy/flags.h). heed: called on all ranks at the same place, now and then, with the flags of all together;
     * true, which has to be the same on every rank, gives the validation up. */
    unsigned (*sign)(void *context);
    bool (*heed)(void *context, unsigned flags);
    void *context;
};

/* Local. `rows` is the chunk: that of the model which will be run. The dataset is borrowed. Release it after failure
 * too; release accepts a released one. */
bool evaluator_init(struct evaluator *evaluator, const struct world *world, const struct dataset *dataset, size_t rows,
                    struct error *error) WARN_UNUSED;
void evaluator_release(struct evaluator *evaluator);

/* Collective over world; params hold equal bits on every rank. False, on every rank, if it was given up: then there is
 * no evaluation. Talking does not change the numbers. */
bool evaluator_run(struct evaluator *evaluator, struct model *model, const float *params,
                   struct evaluation *evaluation) WARN_UNUSED;

#endif
