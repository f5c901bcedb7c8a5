/* y = x W' + b, with W [units, I] and b [units]: of features; of a sequence at each position, I being its channels; of
 * an image as if it were flattened. */
#include "nn/layers/dense.h"

#include "base/rows.h"
#include "nn/layers/layers.h"
#include "nn/layers/linear.h"

enum { WEIGHT, BIAS };

static const struct option_row keys[] = {
    {"units", "outputs, of a sequence at each position", FIELD(struct dense, units), WHOLE(1, LAYER_WIDTH_MOST)},
    {"bias", "whether a bias is added", FIELD(struct dense, bias), DEFAULT("true")},
    {"init", "how the weights begin", FIELD(struct dense, init), .choices = init_names, DEFAULT("default")},
    {0},
};

/* The channels that one row of the product has. */
static size_t columns(const struct layer *layer)
{
    return layer->in.dims == 2 ? layer->in.size[1] : layer->inputs;
}

static size_t positions(const struct layer *layer)
{
    return layer->in.dims == 2 ? layer->in.size[0] : 1;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct dense *dense = layer->settings;
    size_t O = dense->units, I = columns(layer);
    (void)error;
    layer->out = layer->in.dims == 2 ? (struct shape){.dims = 2, .size = {layer->in.size[0], O}}
                                     : (struct shape){.dims = 1, .size = {O}};
    layer_add_weight(layer, table, "weight", 2, (size_t[]){O, I}, dense->init, I, O, dense->init_scale);
    if (dense->bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {O}, .role = TENSOR_BIAS});
    layer->flops = 2.0 * (double)positions(layer) * (double)I * (double)O;
    return true;
}

static void forward_rows(const struct layer *layer, const struct pass *pass, size_t n, const float *x, float *y)
{
    const struct dense *dense = layer->settings;
    linear_forward(pass->compute, n, columns(layer), dense->units, x, layer_weight(layer, pass, WEIGHT, columns(layer)),
                   dense->bias ? layer_params(layer, pass, BIAS) : NULL, y);
}

static void backward_rows(const struct layer *layer, const struct pass *pass, bool first, size_t n, const float *x,
                          const float *dy, float *dx)
{
    const struct dense *dense = layer->settings;
    linear_backward(pass->compute, n, columns(layer), dense->units, x,
                    layer_weight(layer, pass, WEIGHT, columns(layer)), dy, dx, layer_gradient(layer, pass, WEIGHT),
                    !first, dense->bias ? layer_gradient(layer, pass, BIAS) : NULL, !first);
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    forward_rows(layer, pass, pass->leaf->rows * positions(layer), x, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    backward_rows(layer, pass, true, pass->leaf->rows * positions(layer), x, dy, dx);
}

const struct layer_class layer_dense = {
    KIND_OF("dense", "a linear map: on a sequence at each position; an image is flattened first", struct dense, keys),
    .reads = READS_NUMBERS,
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .forward_rows = forward_rows,
    .backward_rows = backward_rows,
    .needs_x = true,
};
