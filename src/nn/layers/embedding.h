/* The settings of embedding. */
#ifndef NN_LAYERS_EMBEDDING_H
#define NN_LAYERS_EMBEDDING_H

#include "nn/initialisation.h"

#include <stdint.h>

struct embedding {
    uint64_t width; /* channels */
    enum init_kind init;
};

#endif
