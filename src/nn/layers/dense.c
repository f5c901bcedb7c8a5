/* y = x W' + b, with W [units, I] and b [units]: of features; of a sequence at each position, I being its channels; of
 * an image as if it were flattened. */
#include "nn/layer.h"
#include "nn/layers/linear.h"

enum { WEIGHT, BIAS };

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
    size_t O = layer->spec.units, I = columns(layer);
    (void)error;
    layer->out = layer->in.dims == 2 ? (struct shape){.dims = 2, .size = {layer->in.size[0], O}}
                                     : (struct shape){.dims = 1, .size = {O}};
    layer_add_weight(layer, table, "weight", 2, (size_t[]){O, I}, I, O);
    if (layer->spec.bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {O}, .role = TENSOR_BIAS});
    layer->flops = 2.0 * (double)positions(layer) * (double)I * (double)O;
    return true;
}

static void forward_rows(const struct layer *layer, const float *params, size_t n, const float *x, float *y)
{
    linear_forward(n, columns(layer), layer->spec.units, x, params + layer->offset[WEIGHT],
                   layer->spec.bias ? params + layer->offset[BIAS] : NULL, y);
}

static void backward_rows(const struct layer *layer, const struct pass *pass, bool first, size_t n, const float *x,
                          const float *dy, float *dx)
{
    linear_backward(n, columns(layer), layer->spec.units, x, layer_params(layer, pass, WEIGHT), dy, dx,
                    layer_gradient(layer, pass, WEIGHT), !first,
                    layer->spec.bias ? layer_gradient(layer, pass, BIAS) : NULL, !first);
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    forward_rows(layer, pass->params, pass->leaf->rows * positions(layer), x, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    backward_rows(layer, pass, true, pass->leaf->rows * positions(layer), x, dy, dx);
}

const struct layer_class layer_dense = {.name = "dense",
                                        .build = build,
                                        .forward = forward,
                                        .backward = backward,
                                        .forward_rows = forward_rows,
                                        .backward_rows = backward_rows,
                                        .needs_x = true};
