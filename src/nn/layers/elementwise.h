/* The layers that apply one function without settings to every element: all but the function is the same. Each of their
 * files is one line of this. */
#ifndef NN_LAYERS_ELEMENTWISE_H
#define NN_LAYERS_ELEMENTWISE_H

#include "nn/layers/layers.h"

/* Local. The output has the shape of the input. */
bool elementwise_build(struct layer *layer, struct tensor_table *table, struct error *error);

/* Defines layer_NAME; `about` is its help. function(count, x, y) may work in place; derivative(count, x, dy, dx) makes
 * dx from x, or from y, which lets the layer overwrite its input. dx may be dy. */
#define ELEMENTWISE(NAME, about, function, derivative, FROM_X)                                                         \
    static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)    \
    {                                                                                                                  \
        (void)saved;                                                                                                   \
        function(pass->leaf->rows * layer->outputs, x, y);                                                             \
    }                                                                                                                  \
    static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,           \
                         const float *saved, const float *dy, float *dx)                                               \
    {                                                                                                                  \
        (void)x, (void)y, (void)saved;                                                                                 \
        if (dx)                                                                                                        \
            derivative(pass->leaf->rows * layer->outputs, (FROM_X) ? x : y, dy, dx);                                   \
    }                                                                                                                  \
    const struct layer_class layer_##NAME = {.kind = {.name = #NAME, .help = (about)},                                 \
                                             .build = elementwise_build,                                               \
                                             .forward = forward,                                                       \
                                             .backward = backward,                                                     \
                                             .needs_x = FROM_X,                                                        \
                                             .needs_y = !(FROM_X),                                                     \
                                             .by_position = true,                                                      \
                                             .in_place = true};
#define ELEMENTWISE_FROM_X(NAME, about, function, derivative) ELEMENTWISE(NAME, about, function, derivative, true)
#define ELEMENTWISE_FROM_Y(NAME, about, function, derivative) ELEMENTWISE(NAME, about, function, derivative, false)

#endif
