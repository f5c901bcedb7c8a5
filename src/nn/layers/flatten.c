/* Any shape to [features]: the values stay where they are. */
#include "base/rows.h"
#include "nn/layers/layers.h"

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = (struct shape){.dims = 1, .size = {layer->inputs}};
    return true;
}

const struct layer_class layer_flatten = {
    PLAIN_KIND("flatten", "any shape to features"),
    .reads = READS_NUMBERS,
    .build = build,
};
