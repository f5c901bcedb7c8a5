/* y = max(x, 0). The derivative at 0 is taken as 0. */
#include "base/target.h"
#include "nn/layer.h"

static void build(struct layer *layer, size_t index, struct tensor_table *table)
{
    (void)index, (void)table;
    layer->outputs = layer->inputs;
}

/* NaN stays NaN, so that a diverged step is seen. */
TARGET_CLONES static void rectify(size_t count, const float *x, float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] <= 0 ? 0 : x[i];
}

TARGET_CLONES static void pass(size_t count, const float *y, const float *dy, float *dx)
{
    for (size_t i = 0; i < count; i++)
        dx[i] = y[i] <= 0 ? 0 : dy[i];
}

static void forward(const struct layer *layer, const float *params, size_t rows, const float *x, float *y)
{
    (void)params;
    rectify(rows * layer->outputs, x, y);
}

static void backward(const struct layer *layer, const float *params, size_t rows, const float *x, const float *y,
                     const float *dy, float *dx, float *gradient)
{
    (void)params, (void)x, (void)gradient;
    if (dx)
        pass(rows * layer->outputs, y, dy, dx);
}

const struct layer_class layer_relu = {.build = build, .forward = forward, .backward = backward};
