/* y = x Phi(x), or its approximation by tanh (D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016). */
#include "nn/kernels/vector.h"
#include "nn/layers/elementwise.h"

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    bool exact = layer->spec.form != GELU_TANH;
    (exact ? vector_gelu : vector_gelu_tanh)(pass->leaf->rows * layer->outputs, x, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    bool exact = layer->spec.form != GELU_TANH;
    if (dx)
        (exact ? vector_gelu_back : vector_gelu_tanh_back)(pass->leaf->rows * layer->outputs, x, dy, dx);
}

const struct layer_class layer_gelu = {.name = "gelu",
                                       .build = elementwise_build,
                                       .forward = forward,
                                       .backward = backward,
                                       .needs_x = true,
                                       .in_place = true};
