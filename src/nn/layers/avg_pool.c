/* The mean of the values under each place of a window: [C, H, W] -> [C, Y, X], or [C, D, H, W] -> [C, Z, Y, X]. */
#include "base/rows.h"
#include "base/target.h"
#include "nn/layers/layers.h"
#include "nn/layers/pool.h"

#include <string.h>

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table;
    return pool_build(layer, error);
}

/* Planes x [deep, H, W] to y [Y, X]; values of a window are added row by row. */
TARGET_CLONES static void pool_plane(const struct pool_windows *pool, const float *restrict x, float *restrict y)
{
    size_t X = pool->X, W = pool->W, stride = pool->stride, k = pool->size;
    float area = (float)(k * k * pool->deep);
    for (size_t row = 0; row < pool->Y; row++, x += stride * W, y += X) {
        for (size_t o = 0; o < X; o++)
            y[o] = 0;
        for (size_t line = 0; line < pool->deep * k; line++)
            for (size_t right = 0; right < k; right++)
                for (size_t o = 0; o < X; o++)
                    y[o] += x[(line / k * pool->H + line % k) * W + right + o * stride];
        for (size_t o = 0; o < X; o++)
            y[o] /= area;
    }
}

/* Adds to planes dx [deep, H, W] from dy [Y, X]: windows that overlap add, in this order. */
TARGET_CLONES static void unpool_plane(const struct pool_windows *pool, const float *restrict dy, float *restrict dx)
{
    size_t X = pool->X, W = pool->W, stride = pool->stride, k = pool->size;
    float area = (float)(k * k * pool->deep);
    for (size_t row = 0; row < pool->Y; row++, dx += stride * W, dy += X)
        for (size_t line = 0; line < pool->deep * k; line++)
            for (size_t right = 0; right < k; right++)
                for (size_t o = 0; o < X; o++)
                    dx[(line / k * pool->H + line % k) * W + right + o * stride] += dy[o] / area;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    struct pool_windows pool = pool_windows(layer);
    size_t plane = pool.H * pool.W;
    for (size_t channel = 0; channel < pass->leaf->rows * pool.C; channel++, x += pool.D * plane)
        for (size_t z = 0; z < pool.Z; z++, y += pool.Y * pool.X)
            pool_plane(&pool, x + z * pool.deep_stride * plane, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved;
    struct pool_windows pool = pool_windows(layer);
    size_t plane = pool.H * pool.W;
    if (!dx)
        return;
    memset(dx, 0, pass->leaf->rows * layer->inputs * sizeof *dx);
    for (size_t channel = 0; channel < pass->leaf->rows * pool.C; channel++, dx += pool.D * plane)
        for (size_t z = 0; z < pool.Z; z++, dy += pool.Y * pool.X)
            unpool_plane(&pool, dy, dx + z * pool.deep_stride * plane);
}

const struct layer_class layer_avg_pool = {
    KIND_OF("avg_pool", "the mean of the values under each place of a square or cubic window", struct pool, pool_keys),
    .reads = READS_PLANES,
    .build = build,
    .forward = forward,
    .backward = backward,
};
