/* The largest value under each place of a window: [C, H, W] -> [C, Y, X], or [C, D, H, W] -> [C, Z, Y, X]. */
#include "base/rows.h"
#include "base/target.h"
#include "nn/layers/layers.h"
#include "nn/layers/pool.h"

#include <string.h>

#define CHUNK_FLOATS 1024 /* of a plane, looked at in one go: stays in the first cache */

/* Output rows that are made at once. Every place of the window is looked at, whatever the stride: reading what stands
 * side by side, as long as it is not too much, is faster than picking. */
static size_t rows_at_once(const struct pool_windows *pool)
{
    size_t fit = CHUNK_FLOATS / (pool->stride * pool->W);
    return pool->stride > 2 || fit < 1 ? 1 : fit < pool->Y ? fit : pool->Y;
}

/* Places of the window from the first in `rows` output rows to the last. */
static size_t span(const struct pool_windows *pool, size_t rows)
{
    return (rows - 1) * pool->stride * pool->W + (pool->X - 1) * pool->stride + 1;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table;
    if (!pool_build(layer, error))
        return false;
    struct pool_windows pool = pool_windows(layer);
    layer->saved = layer->rows *
                   shape_count(&layer->out); /* of each output, where in its channel the value came from */
    layer->scratch = 2 * span(&pool, rows_at_once(&pool));
    return true;
}

/* Of n places of the window, side by side, one value each: where it is larger than the largest so far, it takes its
 * place and `offset`, its own distance from the place, is noted. A NaN counts as largest. */
TARGET_CLONES static void look(size_t n, const float *restrict values, uint32_t offset, float *restrict largest,
                               uint32_t *restrict offsets)
{
    for (size_t i = 0; i < n; i++) {
        float value = values[i], old = largest[i];
        uint32_t kept = offsets[i];
        bool larger = !(value <= old) & (old == old);
        largest[i] = larger ? value : old;
        offsets[i] = larger ? offset : kept;
    }
}

/* Planes x [deep, H, W] of a channel to y [Y, X], and for each of these the index in the channel, in which the first
 * plane begins at `begin`. */
static void pool_plane(const struct pool_windows *pool, size_t begin, const float *x, float *y, uint32_t *places,
                       float *scratch)
{
    size_t area = pool->size * pool->size, plane = pool->H * pool->W;
    size_t most = rows_at_once(pool), down = pool->stride * pool->W;
    float *largest = scratch;
    uint32_t *offsets = (uint32_t *)(scratch + span(pool, most));
    for (size_t row = 0; row < pool->Y; row += most) {
        size_t rows = pool->Y - row < most ? pool->Y - row : most, n = span(pool, rows), first = row * down;
        memcpy(largest, x + first, n * sizeof *largest);
        memset(offsets, 0, n * sizeof *offsets);
        for (size_t tap = 1; tap < pool->deep * area; tap++) {
            size_t offset = tap / area * plane + tap % area / pool->size * pool->W + tap % pool->size;
            look(n, x + first + offset, (uint32_t)offset, largest, offsets);
        }
        for (size_t r = 0; r < rows; r++)
            for (size_t o = 0, i = r * down; o < pool->X; o++, i += pool->stride) {
                *y++ = largest[i];
                *places++ = (uint32_t)(begin + first + i) + offsets[i];
            }
    }
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    struct pool_windows pool = pool_windows(layer);
    uint32_t *places = (uint32_t *)saved;
    size_t size = pool.H * pool.W, n = pool.Y * pool.X;
    for (size_t channel = 0; channel < pass->leaf->rows * pool.C; channel++, x += pool.D * size)
        for (size_t z = 0; z < pool.Z; z++, y += n, places += n) {
            size_t begin = z * pool.deep_stride * size;
            pool_plane(&pool, begin, x + begin, y, places, pass->scratch);
        }
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y;
    struct pool_windows pool = pool_windows(layer);
    const uint32_t *places = (const uint32_t *)saved;
    size_t size = pool.D * pool.H * pool.W, n = pool.Z * pool.Y * pool.X;
    for (size_t channel = 0; dx && channel < pass->leaf->rows * pool.C; channel++, dx += size, dy += n, places += n) {
        memset(dx, 0, size * sizeof *dx);
        for (size_t o = 0; o < n; o++)
            dx[places[o]] += dy[o];
    }
}

const struct layer_class layer_max_pool = {
    KIND_OF("max_pool", "the largest value under each place of a square or cubic window", struct pool, pool_keys),
    .reads = READS_PLANES,
    .build = build,
    .forward = forward,
    .backward = backward,
};
