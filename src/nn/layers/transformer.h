/* The settings of transformer. */
#ifndef NN_LAYERS_TRANSFORMER_H
#define NN_LAYERS_TRANSFORMER_H

#include "nn/initialisation.h"
#include "nn/layers/gelu.h"

#include <stdbool.h>
#include <stdint.h>

struct transformer {
    uint64_t blocks;
    uint64_t heads;
    double ratio;   /* width of the hidden layer / channels */
    bool causal;    /* a position sees only itself and those before */
    double dropout; /* share of what is added to the residual stream that is dropped */
    enum gelu_form gelu;
    bool bias;
    enum init_kind init;
};

#endif
