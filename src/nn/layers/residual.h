/* The settings of residual. */
#ifndef NN_LAYERS_RESIDUAL_H
#define NN_LAYERS_RESIDUAL_H

#include "nn/layer.h"

struct residual {
    struct layer_spec *layers; /* [count] */
    size_t count;
};

#endif
