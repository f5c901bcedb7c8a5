/* y = (x - mean) / sqrt(variance + epsilon) * weight + bias (J. Ba et al., "Layer normalization", 2016, section 3): of
 * a sequence at each position over its channels; of features and images over all of a sample. */
#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"
#include "nn/layers/row_norm.h"

enum { WEIGHT, BIAS };

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)error;
    row_norm_add_tensor(layer, table, "weight", 1);
    row_norm_add_tensor(layer, table, "bias", 0);
    layer->out = layer->in;
    layer->saved = 2 * row_norm_rows(layer, layer->rows); /* mean [n] and r [n] */
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    size_t C = row_norm_width(layer), n = row_norm_rows(layer, pass->leaf->rows);
    vector_layer_norm(n, C, row_norm_epsilon(layer), x, layer_params(layer, pass, WEIGHT),
                      layer_params(layer, pass, BIAS), y, saved, saved + n);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y;
    size_t C = row_norm_width(layer), n = row_norm_rows(layer, pass->leaf->rows);
    vector_layer_norm_back(n, C, x, layer_params(layer, pass, WEIGHT), saved, saved + n, dy, dx,
                           layer_gradient(layer, pass, WEIGHT), layer_gradient(layer, pass, BIAS));
}

const struct layer_class layer_layer_norm = {
    KIND_OF("layer_norm",
            "each position of a sequence, or else a sample, to mean 0 and variance 1, then weight and bias",
            struct row_norm, row_norm_keys),
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .needs_x = true,
};
