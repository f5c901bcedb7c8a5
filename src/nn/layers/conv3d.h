/* The settings of conv3d. */
#ifndef NN_LAYERS_CONV3D_H
#define NN_LAYERS_CONV3D_H

#include "nn/layers/conv2d.h"

struct conv3d {
    uint64_t filters;
    uint64_t kernel; /* side of the cube */
    uint64_t stride;
    uint64_t padding; /* zeros on each side, or PADDING_SAME */
    bool bias;
    enum init_kind init;
};

#endif
