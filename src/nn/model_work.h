/* What a model's layers have to do in training, whatever they do it with: the multiplications and additions of their
 * products, and the bytes that go through them. With the time that it takes this makes the share of the machine's
 * peak, and the roofline of a layer (S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual
 * performance model for multicore architectures", CACM 52(4), 2009). */
#ifndef NN_MODEL_WORK_H
#define NN_MODEL_WORK_H

#include "nn/model.h"

/* Of one direction of a layer. */
struct work {
    double flops; /* of a sample: products only. What a causal mask hides does not count, nor what is computed a
                   * second time in backward instead of being kept. */
    double bytes; /* of a sample: what it reads and writes of inputs, outputs, their gradients, and what is saved */
    double pass_bytes; /* of a pass over any number of samples: parameters read, their gradients written */
};

struct layer_work {
    struct work forward;
    struct work backward; /* all zero: nothing before the layer, nor in it, learns */
};

/* Local. Of operation l of a described model. Backward has as many FLOPs as forward for the weights, if it has any, and
 * as many for its input, if that gradient is wanted; without weights (attention) twice as many. */
struct layer_work model_layer_work(const struct model *model, size_t l);

/* Local. FLOPs of all layers for a sample, forward and backward. */
double model_flops(const struct model *model);

#endif
