/* The settings of dense. */
#ifndef NN_LAYERS_DENSE_H
#define NN_LAYERS_DENSE_H

#include "nn/initialisation.h"

#include <stdbool.h>
#include <stdint.h>

struct dense {
    uint64_t units;
    bool bias;
    enum init_kind init;
    double init_scale; /* no key: the initial weights are multiplied by this; 0 means 1 */
};

#endif
