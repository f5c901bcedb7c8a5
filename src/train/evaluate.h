/* Validation: the model over a whole dataset, cut into fixed chunks of one microbatch (the last may be smaller), which
 * the ranks share. Loss and hits are summed along the tree over the chunks: equal bits for every number of ranks. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include "data/dataset.h"
#include "nn/model.h"
#include "parallel/tally.h"

struct evaluation {
    double loss;     /* mean over the samples */
    double accuracy; /* share of samples whose label has the largest output */
};

struct evaluator {
    const struct dataset *dataset; /* borrowed */
    struct tally tally;            /* an item a chunk: loss, hits */
    uint64_t *indices;             /* [model->rows] */
};

/* Local. model->rows is the chunk. Accepts being released twice. */
bool evaluator_init(struct evaluator *evaluator, const struct world *world, const struct dataset *dataset, size_t rows,
                    struct error *error) WARN_UNUSED;
void evaluator_release(struct evaluator *evaluator);

/* Collective over world; params hold equal bits on every rank. */
struct evaluation evaluator_run(struct evaluator *evaluator, struct model *model, const float *params);

#endif
