/* y = x Phi(x), or its approximation by tanh (D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016). */
#include "nn/layers/gelu.h"

#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/elementwise.h"

const char *const gelu_forms[] = {[GELU_EXACT] = "exact", [GELU_TANH] = "tanh", NULL};

static const struct option_row keys[] = {
    {"form", "exact: x Phi(x); tanh: the approximation of GPT-2", FIELD(struct gelu, form), .choices = gelu_forms,
     DEFAULT("exact")},
    {0},
};

static bool is_exact(const struct layer *layer)
{
    return ((const struct gelu *)layer->settings)->form != GELU_TANH;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    layer->saved = layer->rows * layer->inputs; /* the derivative, so that backward asks for neither x nor an exp */
    return elementwise_build(layer, table, error);
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    size_t n = pass->leaf->rows * layer->outputs;
    if (pass->gradient)
        (is_exact(layer) ? vector_gelu_slope : vector_gelu_tanh_slope)(n, x, y, saved);
    else
        (is_exact(layer) ? vector_gelu : vector_gelu_tanh)(n, x, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y;
    if (dx)
        vector_multiply(pass->leaf->rows * layer->outputs, dy, saved, dx);
}

const struct layer_class layer_gelu = {
    KIND_OF("gelu", "x Phi(x) of each element, Phi being the normal distribution", struct gelu, keys),
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .in_place = true,
};
