/* The settings of position_embedding. */
#ifndef NN_LAYERS_POSITION_EMBEDDING_H
#define NN_LAYERS_POSITION_EMBEDDING_H

#include "nn/initialisation.h"

struct position_embedding {
    enum init_kind init;
};

#endif
