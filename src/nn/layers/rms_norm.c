/* y = x / sqrt(mean(x^2) + epsilon) * weight (B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS
 * 2019, equation 4): of a sequence at each position over its channels; of features and images over all of a sample. */
#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"
#include "nn/layers/row_norm.h"

enum { WEIGHT };

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)error;
    row_norm_add_tensor(layer, table, "weight", 1);
    layer->out = layer->in;
    layer->saved = row_norm_rows(layer, layer->rows); /* r [n] */
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    size_t C = row_norm_width(layer), n = row_norm_rows(layer, pass->leaf->rows);
    vector_rms_norm(n, C, row_norm_epsilon(layer), x, layer_params(layer, pass, WEIGHT), y, saved);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y;
    size_t C = row_norm_width(layer), n = row_norm_rows(layer, pass->leaf->rows);
    vector_rms_norm_back(n, C, x, layer_params(layer, pass, WEIGHT), saved, dy, dx,
                         layer_gradient(layer, pass, WEIGHT));
}

const struct layer_class layer_rms_norm = {
    KIND_OF("rms_norm", "as layer_norm, but without mean and bias", struct row_norm, row_norm_keys),
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .needs_x = true,
};
