#include "nn/layers/elementwise.h"

bool elementwise_build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = layer->in;
    return true;
}
