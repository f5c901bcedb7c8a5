/* The mean of the values under each place of a square window: [C, H, W] -> [C, Y, X]. */
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

/* A plane [H, W] to y [Y, X]; values of a window are added row by row. */
TARGET_CLONES static void pool_plane(const struct pool_windows *pool, const float *restrict x, float *restrict y)
{
    size_t X = pool->X, W = pool->W, stride = pool->stride;
    float area = (float)(pool->size * pool->size);
    for (size_t row = 0; row < pool->Y; row++, x += stride * W, y += X) {
        for (size_t o = 0; o < X; o++)
            y[o] = 0;
        for (size_t down = 0; down < pool->size; down++)
            for (size_t right = 0; right < pool->size; right++)
                for (size_t o = 0; o < X; o++)
                    y[o] += x[down * W + right + o * stride];
        for (size_t o = 0; o < X; o++)
            y[o] /= area;
    }
}

/* dx [H, W] of a plane from dy [Y, X]: windows that overlap add, in this order. */
TARGET_CLONES static void unpool_plane(const struct pool_windows *pool, const float *restrict dy, float *restrict dx)
{
    size_t X = pool->X, W = pool->W, stride = pool->stride;
    float area = (float)(pool->size * pool->size);
    memset(dx, 0, pool->H * W * sizeof *dx);
    for (size_t row = 0; row < pool->Y; row++, dx += stride * W, dy += X)
        for (size_t down = 0; down < pool->size; down++)
            for (size_t right = 0; right < pool->size; right++)
                for (size_t o = 0; o < X; o++)
                    dx[down * W + right + o * stride] += dy[o] / area;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    struct pool_windows pool = pool_windows(layer);
    for (size_t plane = 0; plane < pass->leaf->rows * pool.C; plane++)
        pool_plane(&pool, x + plane * pool.H * pool.W, y + plane * pool.Y * pool.X);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved;
    struct pool_windows pool = pool_windows(layer);
    for (size_t plane = 0; dx && plane < pass->leaf->rows * pool.C; plane++)
        unpool_plane(&pool, dy + plane * pool.Y * pool.X, dx + plane * pool.H * pool.W);
}

const struct layer_class layer_avg_pool = {
    KIND_OF("avg_pool", "the mean of the values under each place of a square window", struct pool, pool_keys),
    .build = build,
    .forward = forward,
    .backward = backward,
};
