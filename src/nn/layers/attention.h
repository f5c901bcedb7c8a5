/* The settings of attention. */
#ifndef NN_LAYERS_ATTENTION_H
#define NN_LAYERS_ATTENTION_H

#include "nn/initialisation.h"

#include <stdbool.h>
#include <stdint.h>

struct attention {
    uint64_t heads;
    bool causal;    /* a position sees only itself and those before */
    double dropout; /* share of the output that is dropped */
    bool bias;
    enum init_kind init;
    double init_scale; /* no key: the initial weights of the second projection are multiplied by this; 0 means 1 */
};

#endif
