/* The settings of attend, which no job file names. */
#ifndef NN_LAYERS_ATTEND_H
#define NN_LAYERS_ATTEND_H

#include <stdbool.h>
#include <stdint.h>

struct attend {
    uint64_t heads; /* a divisor of the channels */
    bool causal;    /* a position sees only itself and those before */
};

#endif
