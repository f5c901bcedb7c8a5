/* What makes probabilities of a model's outputs, for who writes the model down elsewhere. */
#ifndef WEIGHTS_PROBABILITIES_H
#define WEIGHTS_PROBABILITIES_H

#include "nn/model.h"

struct probabilities {
    bool sigmoid; /* of each output by itself; else softmax */
    size_t terms; /* of a sample, which lie behind each other, or: */
    size_t width; /* outputs of a term */
    bool planes;  /* these are the channels in front of an image or a volume, instead */
};

/* Local. Those that the model's loss means. ERROR_USAGE: it means none. */
bool probabilities_of(const struct model *model, struct probabilities *probabilities, struct error *error) WARN_UNUSED;

#endif
