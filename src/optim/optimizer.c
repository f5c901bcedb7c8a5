#include "optim/optimizer.h"

#include <stddef.h>

const struct optimizer_class *const optimizer_classes[] = {
    [OPTIMIZER_SGD] = &optimizer_sgd,
    [OPTIMIZER_ADAMW] = &optimizer_adamw,
};
