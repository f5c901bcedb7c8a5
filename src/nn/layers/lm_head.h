/* The settings of lm_head. */
#ifndef NN_LAYERS_LM_HEAD_H
#define NN_LAYERS_LM_HEAD_H

#include "nn/initialisation.h"

#include <stdbool.h>

struct lm_head {
    bool tied; /* uses the embedding's weights */
    bool bias;
    enum init_kind init;
};

#endif
