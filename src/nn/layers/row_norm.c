#include "nn/layers/row_norm.h"

#include "base/rows.h"

#include <string.h>

const struct option_row row_norm_keys[] = {
    {"epsilon", "added to the variance", FIELD(struct row_norm, epsilon), REAL(1e-30, INFINITY), DEFAULT("1e-5")},
    {0},
};

float row_norm_epsilon(const struct layer *layer)
{
    return (float)((const struct row_norm *)layer->settings)->epsilon;
}

size_t row_norm_width(const struct layer *layer)
{
    return layer->in.dims == 2 ? layer->in.size[1] : layer->inputs;
}

size_t row_norm_rows(const struct layer *layer, size_t samples)
{
    return samples * (layer->inputs / row_norm_width(layer));
}

void row_norm_add_tensor(struct layer *layer, struct tensor_table *table, const char *what, float value)
{
    const struct shape *in = &layer->in;
    struct tensor tensor = {
        .dims = 1, .shape = {row_norm_width(layer)}, .role = TENSOR_NORM, .init = TENSOR_CONSTANT, .scale = value};
    if (in->dims > 2) {
        tensor.dims = in->dims;
        memcpy(tensor.shape, in->size, in->dims * sizeof *in->size);
    }
    layer_add_tensor(layer, table, what, tensor);
}
