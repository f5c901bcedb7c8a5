/* The settings of conv1d. */
#ifndef NN_LAYERS_CONV1D_H
#define NN_LAYERS_CONV1D_H

#include "nn/layers/conv2d.h"

struct conv1d {
    uint64_t filters;
    uint64_t kernel;
    uint64_t stride;
    uint64_t padding; /* zeros at each end, or PADDING_SAME */
    bool bias;
    enum init_kind init;
};

#endif
