/* What makes probabilities of a model's outputs, for who writes the model down elsewhere. */
#ifndef WEIGHTS_PROBABILITIES_H
#define WEIGHTS_PROBABILITIES_H

#include "nn/model.h"

struct probabilities {
    bool sigmoid; /* of each output by itself; else softmax */
    size_t terms; /* of a sample, which lie behind each other */
    size_t width; /* outputs of a term */
};

/* Local. Those that the model's loss means. ERROR_USAGE: it means none. */
bool probabilities_of(const struct model *model, struct probabilities *probabilities, struct error *error) WARN_UNUSED;

#endif
