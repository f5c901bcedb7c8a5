/* The settings of repeat. */
#ifndef NN_LAYERS_REPEAT_H
#define NN_LAYERS_REPEAT_H

#include "nn/layer.h"

struct repeat {
    uint64_t times;
    struct layer_spec *layers; /* [count] */
    size_t count;
};

#endif
