#include "nn/layer.h"

const struct layer_class *const layer_classes[] = {
    [LAYER_DENSE] = &layer_dense,
    [LAYER_RELU] = &layer_relu,
};
