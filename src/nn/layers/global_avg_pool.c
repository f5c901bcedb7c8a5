/* The mean over all positions, for each channel: [C, H, W], [C, D, H, W] or [T, C] -> [C]. */
#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table;
    const struct shape *in = &layer->in;
    if (in->dims < 2)
        return error_set(
            error, ERROR_USAGE,
            "it needs an image (channels x height x width), a volume or a sequence (positions x channels), but its "
            "input is %zu features: leave it out",
            in->size[0]);
    layer->out = (struct shape){.dims = 1, .size = {in->dims == 2 ? in->size[1] : in->size[0]}};
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    size_t C = layer->outputs, n = layer->inputs / C;
    for (size_t row = 0; row < pass->leaf->rows; row++, x += layer->inputs, y += C) {
        if (layer->in.dims == 2)
            vector_sum_rows(n, C, x, y, 0);
        else
            for (size_t c = 0; c < C; c++)
                y[c] = vector_sum(n, x + c * n);
        for (size_t c = 0; c < C; c++)
            y[c] /= (float)n;
    }
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved;
    size_t C = layer->outputs, n = layer->inputs / C;
    for (size_t row = 0; dx && row < pass->leaf->rows; row++, dx += layer->inputs, dy += C) {
        if (layer->in.dims == 2)
            for (size_t i = 0; i < n; i++)
                for (size_t c = 0; c < C; c++)
                    dx[i * C + c] = dy[c] / (float)n;
        else
            for (size_t c = 0; c < C; c++) {
                float share = dy[c] / (float)n;
                for (size_t i = 0; i < n; i++)
                    dx[c * n + i] = share;
            }
    }
}

const struct layer_class layer_global_avg_pool = {
    PLAIN_KIND("global_avg_pool", "the mean of each channel over all positions"),
    .reads = READS_NUMBERS,
    .build = build,
    .forward = forward,
    .backward = backward,
};
