#include "nn/kernels/convolution.h"

#include "base/target.h"
#include "nn/kernels/vector.h"

#include <string.h>

#define TILE_FLOATS (1 << 18) /* of columns: 1 MB, about a core's cache; more only if TILE_WIDTH needs it */
#define TILE_WIDTH  128       /* N at least, if the leaf has as many */

/* Letters, besides those of the header: S samples of a tile, R output rows of each, N = S R X columns. */

struct tiling {
    size_t S, R; /* of a full tile */
    bool plain;  /* the columns are the sample as it is */
};

struct tile {
    size_t first, S; /* samples; several only if R is Y */
    size_t row, R;   /* output rows */
    size_t N;
};

/* Where one weight of a filter looks. */
struct tap {
    ptrdiff_t down, right; /* the value for output (y, x) is at (y stride + down, x stride + right) */
    size_t begin, end;     /* columns x of the output where that lies within the image's width */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ceiling(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* Whole samples as long as their columns fit into TILE_FLOATS. */
static struct tiling tiling_of(const struct convolution *v)
{
    size_t places = v->Y * v->X, fit = TILE_FLOATS / v->K > TILE_WIDTH ? TILE_FLOATS / v->K : TILE_WIDTH;
    struct tiling tiling = {.S = 1, .R = v->Y};
    if (places < TILE_WIDTH)
        tiling.S = least(ceiling(TILE_WIDTH, places), v->M);
    tiling.plain = tiling.S == 1 && v->k == 1 && v->stride == 1 && v->top == 0 && v->left == 0 && places == v->H * v->W;
    if (places > fit && tiling.S == 1 && !tiling.plain)
        tiling.R = ceiling(v->Y, ceiling(places, fit)); /* of nearly equal size */
    return tiling;
}

/* The tile that begins at sample `first` of M and at output row `row`. */
static struct tile tile_at(const struct convolution *v, const struct tiling *tiling, size_t M, size_t first, size_t row)
{
    struct tile tile = {
        .first = first, .S = least(tiling->S, M - first), .row = row, .R = least(tiling->R, v->Y - row)};
    tile.N = tile.S * tile.R * v->X;
    return tile;
}

static struct tap tap_at(const struct convolution *v, size_t down, size_t right)
{
    struct tap tap = {.down = (ptrdiff_t)down - (ptrdiff_t)v->top, .right = (ptrdiff_t)right - (ptrdiff_t)v->left};
    tap.begin = tap.right < 0 ? least(ceiling((size_t)-tap.right, v->stride), v->X) : 0;
    ptrdiff_t room = (ptrdiff_t)v->W - tap.right; /* x stride < room */
    tap.end = room > 0 ? least(ceiling((size_t)room, v->stride), v->X) : 0;
    if (tap.end < tap.begin)
        tap.end = tap.begin;
    return tap;
}

static void clear_row(const struct convolution *v, const struct tap *tap, float *row)
{
    for (size_t x = 0; x < tap->begin; x++)
        row[x] = 0;
    for (size_t x = tap->end; x < v->X; x++)
        row[x] = 0;
}

/* With stride 1 and an output as wide as the image, a tap sees the plane as it is, moved: but for what falls off its
 * end and, at the sides, comes from the neighbouring line. The part [*begin, *end) of the R X values of a tile that is
 * in the plane; the plane's index of value 0 is returned. */
static bool is_moved(const struct convolution *v)
{
    return v->stride == 1 && v->X == v->W;
}

static ptrdiff_t moved(const struct convolution *v, const struct tile *tile, const struct tap *tap, size_t *begin,
                       size_t *end)
{
    ptrdiff_t n = (ptrdiff_t)(tile->R * v->X), size = (ptrdiff_t)(v->H * v->W);
    ptrdiff_t at = ((ptrdiff_t)tile->row + tap->down) * (ptrdiff_t)v->W + tap->right;
    ptrdiff_t lower = at < 0 ? (-at < n ? -at : n) : 0, upper = size - at < n ? size - at : n;
    *begin = (size_t)lower;
    *end = (size_t)(upper > lower ? upper : lower);
    return at;
}

/* What the tap sees of a plane [H, W], for the tile's rows: `row` [R, X]. */
TARGET_CLONES static void gather(const struct convolution *v, const struct tile *tile, const struct tap *tap,
                                 const float *plane, float *row)
{
    if (is_moved(v)) {
        size_t begin, end, n = tile->R * v->X;
        ptrdiff_t at = moved(v, tile, tap, &begin, &end);
        memset(row, 0, begin * sizeof *row);
        if (end > begin)
            memcpy(row + begin, plane + at + (ptrdiff_t)begin, (end - begin) * sizeof *row);
        memset(row + end, 0, (n - end) * sizeof *row);
        for (size_t y = 0; y < tile->R; y++)
            clear_row(v, tap, row + y * v->X);
        return;
    }
    for (size_t y = 0; y < tile->R; y++, row += v->X) {
        ptrdiff_t line = (ptrdiff_t)((tile->row + y) * v->stride) + tap->down;
        if (line < 0 || line >= (ptrdiff_t)v->H || tap->begin == tap->end) {
            memset(row, 0, v->X * sizeof *row);
            continue;
        }
        clear_row(v, tap, row);
        const float *from = plane + line * (ptrdiff_t)v->W + (ptrdiff_t)(tap->begin * v->stride) + tap->right;
        size_t n = tap->end - tap->begin;
        if (v->stride == 1)
            for (size_t x = 0; x < n; x++)
                row[tap->begin + x] = from[x];
        else
            for (size_t x = 0; x < n; x++)
                row[tap->begin + x] = from[x * v->stride];
    }
}

/* The reverse: adds `row` [R, X], which is spoilt, to the plane where the tap looks. */
TARGET_CLONES static void scatter(const struct convolution *v, const struct tile *tile, const struct tap *tap,
                                  float *row, float *plane)
{
    if (is_moved(v)) {
        size_t begin, end;
        ptrdiff_t at = moved(v, tile, tap, &begin, &end);
        for (size_t y = 0; y < tile->R; y++)
            clear_row(v, tap, row + y * v->X);
        if (end > begin) {
            float *to = plane + at + (ptrdiff_t)begin;
            vector_add(end - begin, to, row + begin, to);
        }
        return;
    }
    for (size_t y = 0; y < tile->R; y++, row += v->X) {
        ptrdiff_t line = (ptrdiff_t)((tile->row + y) * v->stride) + tap->down;
        if (line < 0 || line >= (ptrdiff_t)v->H || tap->begin == tap->end)
            continue;
        float *to = plane + line * (ptrdiff_t)v->W + (ptrdiff_t)(tap->begin * v->stride) + tap->right;
        size_t n = tap->end - tap->begin;
        if (v->stride == 1)
            for (size_t x = 0; x < n; x++)
                to[x] += row[tap->begin + x];
        else
            for (size_t x = 0; x < n; x++)
                to[x * v->stride] += row[tap->begin + x];
    }
}

void convolution_gather(const struct convolution *v, size_t row, size_t R, size_t down, size_t right,
                        const float *plane, float *values)
{
    struct tile tile = {.S = 1, .row = row, .R = R, .N = R * v->X};
    struct tap tap = tap_at(v, down, right);
    gather(v, &tile, &tap, plane, values);
}

void convolution_scatter(const struct convolution *v, size_t row, size_t R, size_t down, size_t right, float *values,
                         float *plane)
{
    struct tile tile = {.S = 1, .row = row, .R = R, .N = R * v->X};
    struct tap tap = tap_at(v, down, right);
    scatter(v, &tile, &tap, values, plane);
}

/* Goes through all taps in order: columns [K, N] from x [M, C, H, W]; or, if `dx` is not NULL, adds columns to dx. */
static void each_tap(const struct convolution *v, const struct tile *tile, const float *x, float *columns, float *dx)
{
    size_t plane = v->H * v->W, part = tile->R * v->X;
    for (size_t down = 0; down < v->k; down++)
        for (size_t right = 0; right < v->k; right++) {
            struct tap tap = tap_at(v, down, right);
            for (size_t c = 0; c < v->C; c++)
                for (size_t s = 0; s < tile->S; s++) {
                    float *row = columns + ((c * v->k + down) * v->k + right) * tile->N + s * part;
                    size_t at = ((tile->first + s) * v->C + c) * plane;
                    if (dx)
                        scatter(v, tile, &tap, row, dx + at);
                    else
                        gather(v, tile, &tap, x + at, row);
                }
        }
}

/* The columns [K, N] of a tile: in scratch [K, N], or in x itself. */
static const float *columns_of(const struct convolution *v, const struct tiling *tiling, const struct tile *tile,
                               const float *x, float *scratch)
{
    if (tiling->plain)
        return x + tile->first * v->K * tile->N;
    each_tap(v, tile, x, scratch, NULL);
    return scratch;
}

/* Where channel o of sample s of the tile begins in [M, O, Y, X]; [R, X] are there. */
static size_t out_at(const struct convolution *v, const struct tile *tile, size_t s, size_t o)
{
    return (((tile->first + s) * v->O + o) * v->Y + tile->row) * v->X;
}

/* dy of a tile as a matrix [O, N]: in its place, if it is of one sample, or else in scratch. */
static struct matrix gradient_of(const struct convolution *v, const struct tile *tile, const float *dy, float *scratch)
{
    size_t part = tile->R * v->X;
    if (tile->S == 1)
        return matrix_of(dy + out_at(v, tile, 0, 0), v->Y * v->X, false);
    for (size_t o = 0; o < v->O; o++)
        for (size_t s = 0; s < tile->S; s++)
            memcpy(scratch + o * tile->N + s * part, dy + out_at(v, tile, s, o), part * sizeof *dy);
    return matrix_of(scratch, tile->N, false);
}

size_t convolution_scratch(const struct compute *compute, const struct convolution *v)
{
    (void)compute;
    struct tiling tiling = tiling_of(v);
    size_t N = tiling.S * tiling.R * v->X;
    return (tiling.plain ? 0 : v->K * N) + (tiling.S > 1 ? v->O * N : 0);
}

void convolution_forward(const struct compute *compute, const struct convolution *v, size_t M, const float *x,
                         struct matrix weight, const float *bias, float *scratch, float *y)
{
    struct tiling tiling = tiling_of(v);
    for (size_t first = 0; first < M; first += tiling.S)
        for (size_t row = 0; row < v->Y; row += tiling.R) {
            struct tile tile = tile_at(v, &tiling, M, first, row);
            const float *columns = columns_of(v, &tiling, &tile, x, scratch);
            /* [O, N]: in its place at once, if it is of one sample. */
            float *out = tile.S > 1 ? scratch + v->K * tile.N : y + out_at(v, &tile, 0, 0);
            size_t pitch = tile.S > 1 ? tile.N : v->Y * v->X, part = tile.R * v->X;
            compute->product(compute, v->O, tile.N, v->K, weight, matrix_of(columns, tile.N, false), false, out, pitch);
            for (size_t s = 0; (bias || tile.S > 1) && s < tile.S; s++)
                for (size_t o = 0; o < v->O; o++)
                    vector_affine(part, 1, bias ? bias[o] : 0, out + o * pitch + s * part, y + out_at(v, &tile, s, o));
        }
}

void convolution_dweight(const struct compute *compute, const struct convolution *v, size_t M, const float *x,
                         const float *dy, float *scratch, float *dweight, float *dbias)
{
    struct tiling tiling = tiling_of(v);
    for (size_t first = 0; first < M; first += tiling.S)
        for (size_t row = 0; row < v->Y; row += tiling.R) {
            bool begins = first == 0 && row == 0; /* the others add */
            struct tile tile = tile_at(v, &tiling, M, first, row);
            struct matrix g = gradient_of(v, &tile, dy, scratch + v->K * tile.N);
            const float *columns = columns_of(v, &tiling, &tile, x, scratch);
            compute->product(compute, v->O, v->K, tile.N, g, matrix_of(columns, tile.N, true), !begins, dweight, v->K);
            for (size_t o = 0; dbias && o < v->O; o++)
                dbias[o] = (begins ? 0 : dbias[o]) + vector_sum(tile.N, g.values + o * g.stride);
        }
}

void convolution_dx(const struct compute *compute, const struct convolution *v, size_t M, const float *dy,
                    struct matrix weight, float *scratch, float *dx)
{
    struct tiling tiling = tiling_of(v);
    size_t image = v->C * v->H * v->W;
    weight.transposed = true;
    for (size_t first = 0; first < M; first += tiling.S)
        for (size_t row = 0; row < v->Y; row += tiling.R) {
            struct tile tile = tile_at(v, &tiling, M, first, row);
            struct matrix g = gradient_of(v, &tile, dy, scratch + v->K * tile.N);
            float *down = tiling.plain ? dx + first * image : scratch;
            compute->product(compute, v->K, tile.N, v->O, weight, g, false, down, tile.N);
            if (tiling.plain)
                continue;
            if (row == 0)
                memset(dx + first * image, 0, tile.S * image * sizeof *dx);
            each_tap(v, &tile, NULL, scratch, dx);
        }
}
