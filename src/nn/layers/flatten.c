/* Any shape to [features]: the values stay where they are. */
#include "nn/layer.h"

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = (struct shape){.dims = 1, .size = {layer->inputs}};
    return true;
}

const struct layer_class layer_flatten = {.name = "flatten", .build = build};
