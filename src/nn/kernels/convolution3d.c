#include "nn/kernels/convolution3d.h"

#include "nn/kernels/convolution.h"
#include "nn/kernels/vector.h"

#include <stdbool.h>
#include <string.h>

#define TILE_FLOATS (1 << 18) /* of columns: 1 MB, about a core's cache; more only if TILE_WIDTH needs it */
#define TILE_WIDTH  128       /* columns at least, if a sample has as many */

/* Letters, besides those of the header: L = Z Y lines of an output, R of a tile, N = R X columns. */

struct tile {
    size_t line, R, N;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ceiling(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* The columns are the sample as it is. */
static bool is_plain(const struct convolution3d *v)
{
    return v->k == 1 && v->stride == 1 && v->Z == v->D && v->Y == v->H && v->X == v->W;
}

/* Lines of a full tile; all tiles are of nearly equal size. */
static size_t lines_at_once(const struct convolution3d *v)
{
    size_t L = v->Z * v->Y, fit = TILE_FLOATS / v->K > TILE_WIDTH ? TILE_FLOATS / v->K : TILE_WIDTH;
    return is_plain(v) ? L : ceiling(L, ceiling(L * v->X, fit));
}

static struct tile tile_at(const struct convolution3d *v, size_t line)
{
    size_t R = least(lines_at_once(v), v->Z * v->Y - line);
    return (struct tile){.line = line, .R = R, .N = R * v->X};
}

/* The same along the last two sides. */
static struct convolution flat_of(const struct convolution3d *v)
{
    return (struct convolution){.M = 1,
                                .C = 1,
                                .H = v->H,
                                .W = v->W,
                                .O = 1,
                                .Y = v->Y,
                                .X = v->X,
                                .k = v->k,
                                .K = v->k * v->k,
                                .stride = v->stride,
                                .top = v->top,
                                .left = v->left};
}

/* The rows [k, k, k, N] of one channel, whose block is x [D, H, W], or to be added to dx: depth by depth of the
 * output. */
static void each_depth(const struct convolution3d *v, const struct tile *tile, const float *x, float *rows, float *dx)
{
    const struct convolution flat = flat_of(v);
    size_t k = v->k, plane = v->H * v->W, end = tile->line + tile->R;
    for (size_t t = 0; t < k * k * k; t++)
        for (size_t line = tile->line, R; line < end; line += R, rows += R * v->X) {
            size_t y = line % v->Y, down = t / k % k, right = t % k, z = line / v->Y * v->stride + t / (k * k);
            R = least(v->Y - y, end - line);
            if (z >= v->front && z - v->front < v->D && dx)
                convolution_scatter(&flat, y, R, down, right, rows, dx + (z - v->front) * plane);
            else if (z >= v->front && z - v->front < v->D)
                convolution_gather(&flat, y, R, down, right, x + (z - v->front) * plane, rows);
            else if (!dx)
                memset(rows, 0, R * v->X * sizeof *rows);
        }
}

/* All channels of a sample: columns [K, N] from x [C, D, H, W]; or, if `dx` is not NULL, adds columns to dx. */
static void each_channel(const struct convolution3d *v, const struct tile *tile, const float *x, float *columns,
                         float *dx)
{
    size_t block = v->D * v->H * v->W, rows = v->k * v->k * v->k * tile->N;
    for (size_t c = 0; c < v->C; c++)
        each_depth(v, tile, dx ? NULL : x + c * block, columns + c * rows, dx ? dx + c * block : NULL);
}

/* The columns of a tile: in scratch, or in x itself. */
static struct matrix columns_of(const struct convolution3d *v, const struct tile *tile, const float *x, float *scratch,
                                bool transposed)
{
    if (is_plain(v))
        return matrix_of(x, tile->N, transposed);
    each_channel(v, tile, x, scratch, NULL);
    return matrix_of(scratch, tile->N, transposed);
}

size_t convolution3d_scratch(const struct convolution3d *v)
{
    return is_plain(v) ? 0 : v->K * lines_at_once(v) * v->X;
}

void convolution3d_forward(const struct compute *compute, const struct convolution3d *v, size_t M, const float *x,
                           struct matrix weight, const float *bias, float *scratch, float *y)
{
    size_t L = v->Z * v->Y, places = L * v->X;
    for (size_t m = 0; m < M; m++, x += v->C * v->D * v->H * v->W, y += v->O * places) {
        for (size_t line = 0; line < L; line += lines_at_once(v)) {
            struct tile tile = tile_at(v, line);
            compute->product(compute, v->O, tile.N, v->K, weight, columns_of(v, &tile, x, scratch, false), false,
                             y + line * v->X, places);
        }
        for (size_t o = 0; bias && o < v->O; o++)
            vector_affine(places, 1, bias[o], y + o * places, y + o * places);
    }
}

void convolution3d_dweight(const struct compute *compute, const struct convolution3d *v, size_t M, const float *x,
                           const float *dy, float *scratch, float *dweight, float *dbias)
{
    size_t L = v->Z * v->Y, places = L * v->X;
    for (size_t m = 0; m < M; m++, x += v->C * v->D * v->H * v->W, dy += v->O * places) {
        for (size_t line = 0; line < L; line += lines_at_once(v)) {
            struct tile tile = tile_at(v, line);
            compute->product(compute, v->O, v->K, tile.N, matrix_of(dy + line * v->X, places, false),
                             columns_of(v, &tile, x, scratch, true), m > 0 || line > 0, dweight, v->K);
        }
        for (size_t o = 0; dbias && o < v->O; o++)
            dbias[o] = (m == 0 ? 0 : dbias[o]) + vector_sum(places, dy + o * places);
    }
}

void convolution3d_dx(const struct compute *compute, const struct convolution3d *v, size_t M, const float *dy,
                      struct matrix weight, float *scratch, float *dx)
{
    size_t L = v->Z * v->Y, places = L * v->X, inputs = v->C * v->D * v->H * v->W;
    bool plain = is_plain(v);
    weight.transposed = true;
    for (size_t m = 0; m < M; m++, dx += inputs, dy += v->O * places) {
        if (!plain)
            memset(dx, 0, inputs * sizeof *dx);
        for (size_t line = 0; line < L; line += lines_at_once(v)) {
            struct tile tile = tile_at(v, line);
            compute->product(compute, v->K, tile.N, v->O, weight, matrix_of(dy + line * v->X, places, false), false,
                             plain ? dx : scratch, tile.N);
            if (!plain)
                each_channel(v, &tile, NULL, scratch, dx);
        }
    }
}
