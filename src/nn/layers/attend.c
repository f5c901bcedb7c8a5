/* Attention between its two dense layers (A. Vaswani et al., "Attention is all you need", NeurIPS 2017, equation 1):
 * of each head y = softmax(q k' / sqrt(D)) v, [T, 3C] -> [T, C].
 *
 * It goes by tiles of query rows, so that no [T, T] matrix ever exists. Forward keeps the logarithm of each softmax's
 * sum, with which backward makes the probabilities once more (T. Dao et al., "FlashAttention", NeurIPS 2022, section
 * 3.1 and appendix B.2). A tile lies transposed, a query being a column, as the keys are where they lie: so no side of
 * a product needs to be copied, but for the queries and gradients of the tile, and softmax never goes across a vector.
 *
 * Part of the definition of its bits: y, dq and the products behind the softmax are sums over all K keys of the tile,
 * as product.h has them, what is not seen being 0; dk and dv are sums over the queries of a tile, added up from the
 * last tile to the first; the softmax of a query is divided by its sum behind the product with v.
 *
 * Letters: D channels of a head; R query rows of a tile, and W columns for them; K keys that the last of them sees. A
 * position's 3C inputs are its q, k and v side by side, each with the heads side by side. */
#include "nn/layers/attend.h"

#include "base/check.h"
#include "base/rows.h"
#include "nn/kernels/compute.h"
#include "nn/kernels/transpose.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

#include <math.h>
#include <string.h>

#define TILE_ROWS                                                                                                      \
    32 /* R but for the last tile: enough for products, few enough that causal tiles skip most of what                 \
          nobody sees */
#define HALF VECTOR_COLUMNS

/* One head of one sample. */
struct head {
    const struct compute *compute;
    size_t T, C, D;
    bool causal;
    float scale;
    const float *q, *k, *v; /* [T, D], rows 3C apart */
    float *p;               /* scratch [T, W]: probabilities */
    float *dp;              /* scratch [the larger of T and D, W]: their gradient */
    float *side;            /* scratch [D, W]: a side of a product, or what comes out of one */
};

struct tile {
    size_t first; /* query row */
    size_t R, W, K;
    size_t half; /* keys that the first HALF queries see; K: a half of its own is not worth it, or sees all */
    size_t mask; /* as `first` of vector_softmax_columns */
};

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t columns_of(size_t rows)
{
    return (rows + VECTOR_COLUMNS - 1) / VECTOR_COLUMNS * VECTOR_COLUMNS;
}

/* W of the widest tile. */
static size_t widest(size_t T)
{
    return T < TILE_ROWS ? columns_of(T) : TILE_ROWS;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    const struct attend *attend = layer->settings;
    size_t T = layer->in.size[0], C = layer->in.size[1] / 3;
    CHECK(layer->in.dims == 2 && C * 3 == layer->in.size[1] && C % attend->heads == 0, "attention.c sees to it");
    layer->out = (struct shape){.dims = 2, .size = {T, C}};
    layer->saved = layer->rows * attend->heads * T;
    layer->scratch = widest(T) * (T + largest(T, C / attend->heads) + C / attend->heads);
    layer->flops = 4 * (double)T * (double)C * (double)T;
    layer->sees_ahead = !attend->causal;
    layer->keeps = attend->causal ? 2 * C + 1 : 0;
    if (attend->causal)
        layer->flops = 2 * (double)T * (double)C * (double)(T + 1);
    return true;
}

static struct head head_at(const struct layer *layer, const struct pass *pass, const float *x, size_t row, size_t h)
{
    const struct attend *attend = layer->settings;
    size_t T = layer->out.size[0], C = layer->out.size[1], D = C / attend->heads, W = widest(T);
    const float *q = x + row * T * 3 * C + h * D;
    return (struct head){.compute = pass->compute,
                         .T = T,
                         .C = C,
                         .D = D,
                         .causal = attend->causal,
                         .scale = 1 / sqrtf((float)D),
                         .q = q,
                         .k = q + C,
                         .v = q + 2 * C,
                         .p = pass->scratch,
                         .dp = pass->scratch + W * T,
                         .side = pass->scratch + W * (T + largest(T, D))};
}

static struct tile tile_at(const struct head *head, size_t first)
{
    size_t R = head->T - first < TILE_ROWS ? head->T - first : TILE_ROWS;
    return (struct tile){.first = first,
                         .R = R,
                         .W = columns_of(R),
                         .K = head->causal ? first + R : head->T,
                         .half = !head->causal ? head->T : first + (R < HALF ? R : HALF),
                         .mask = head->causal ? first : head->T};
}

/* to [D, W], columns behind the R rows being 0, from the tile's rows of `from` [T, D], rows `stride` apart. */
static void take_side(const struct head *head, const struct tile *tile, const float *from, size_t stride, float *to)
{
    for (size_t d = 0; tile->R < tile->W && d < head->D; d++)
        memset(to + d * tile->W + tile->R, 0, (tile->W - tile->R) * sizeof *to);
    transpose(tile->R, head->D, from + tile->first * stride, stride, to, tile->W);
}

static void product(const struct head *head, size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds,
                    float *c, size_t stride)
{
    head->compute->product(head->compute, m, n, k, a, b, adds, c, stride);
}

/* to [K, W] = rows side, of rows [K, D], 3C apart, and side [D, W]; what no query of its half sees is left out. */
static void by_keys(const struct head *head, const struct tile *tile, const float *rows, float *to)
{
    size_t ld = 3 * head->C, W = tile->W, K = tile->half, rest = tile->K - K;
    product(head, K, W, head->D, matrix_of(rows, ld, false), matrix_of(head->side, W, false), false, to, W);
    if (rest > 0)
        product(head, rest, W - HALF, head->D, matrix_of(rows + K * ld, ld, false),
                matrix_of(head->side + HALF, W, false), false, to + K * W + HALF, W);
}

/* side [D, W] = rows' weights, of rows [K, D], 3C apart, and weights [K, W]. */
static void over_keys(const struct head *head, const struct tile *tile, const float *rows, const float *weights)
{
    size_t W = tile->W, first = tile->half < tile->K ? HALF : 0;
    struct matrix a = matrix_of(rows, 3 * head->C, true);
    if (first > 0)
        product(head, head->D, first, tile->half, a, matrix_of(weights, W, false), false, head->side, W);
    product(head, head->D, W - first, tile->K, a, matrix_of(weights + first, W, false), false, head->side + first, W);
}

/* to [K, D], 3C apart, = weights queries, or that added, of weights [K, R] and the tile's queries, `stride` apart. */
static void over_queries(const struct head *head, const struct tile *tile, const float *weights, const float *queries,
                         size_t stride, bool adds, float *to)
{
    size_t W = tile->W, D = head->D, ld = 3 * head->C, K = tile->half, rest = tile->K - K;
    queries += tile->first * stride;
    product(head, K, D, tile->R, matrix_of(weights, W, false), matrix_of(queries, stride, false), adds, to, ld);
    if (rest > 0)
        product(head, rest, D, tile->R - HALF, matrix_of(weights + K * W + HALF, W, false),
                matrix_of(queries + HALF * stride, stride, false), adds, to + K * ld, ld);
}

/* y [T, D], rows C apart; log_sums [T]. */
static void forward_head(const struct head *head, float *y, float *log_sums)
{
    float inverse[TILE_ROWS], logs[TILE_ROWS];
    for (size_t first = 0; first < head->T; first += TILE_ROWS) {
        struct tile tile = tile_at(head, first);
        take_side(head, &tile, head->q, 3 * head->C, head->side);
        by_keys(head, &tile, head->k, head->p);
        vector_softmax_columns(tile.K, tile.W, tile.mask, head->scale, head->p, inverse, logs);
        memcpy(log_sums + first, logs, tile.R * sizeof *logs);
        over_keys(head, &tile, head->v, head->p);
        vector_scale_columns(head->D, tile.W, inverse, head->side);
        transpose(head->D, tile.R, head->side, tile.W, y + first * head->C, head->C);
    }
}

/* p [K, W] again, and in dp [K, W] the gradient of q k', from y and dy [T, D], rows C apart. */
static void score_back(const struct head *head, const struct tile *tile, const float *y, const float *log_sums,
                       const float *dy)
{
    float logs[TILE_ROWS] = {0}, delta[TILE_ROWS];
    memcpy(logs, log_sums + tile->first, tile->R * sizeof *logs);
    take_side(head, tile, head->q, 3 * head->C, head->side);
    by_keys(head, tile, head->k, head->p);
    /* sum(p dp) = sum(p v dy) = sum(y dy), which is shorter. */
    take_side(head, tile, y, head->C, head->dp);
    take_side(head, tile, dy, head->C, head->side);
    vector_dot_columns(head->D, tile->W, head->dp, head->side, delta);
    by_keys(head, tile, head->v, head->dp);
    vector_softmax_columns_back(tile->K, tile->W, tile->mask, head->scale, logs, delta, head->p, head->dp);
}

/* dq [T, D], rows 3C apart, with dk and dv behind it as k and v are behind q. */
static void backward_head(const struct head *head, const float *y, const float *log_sums, const float *dy, float *dq)
{
    size_t C = head->C, ld = 3 * C, last = (head->T - 1) / TILE_ROWS * TILE_ROWS;
    /* From the last tile, which sees all keys and writes the gradient of each, to the first: the others add. */
    for (size_t first = last; first < head->T; first -= TILE_ROWS) {
        struct tile tile = tile_at(head, first);
        score_back(head, &tile, y, log_sums, dy);
        over_keys(head, &tile, head->k, head->dp);
        transpose(head->D, tile.R, head->side, tile.W, dq + first * ld, ld);
        over_queries(head, &tile, head->dp, head->q, ld, first != last, dq + C);
        over_queries(head, &tile, head->p, dy, C, first != last, dq + 2 * C);
    }
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    size_t H = ((const struct attend *)layer->settings)->heads;
    for (size_t row = 0; row < pass->leaf->rows; row++)
        for (size_t h = 0; h < H; h++) {
            struct head head = head_at(layer, pass, x, row, h);
            forward_head(&head, y + row * layer->outputs + h * head.D, saved + (row * H + h) * head.T);
        }
}

/* kept: keys [most, C], values [most, C], and room for the scores of one position [most]. */
static void forward_next(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *kept)
{
    size_t C = layer->out.size[1], D = C / ((const struct attend *)layer->settings)->heads;
    size_t n = pass->past->count, most = pass->past->most;
    float *keys = kept, *values = keys + most * C, *p = values + most * C;
    memcpy(keys + n * C, x + C, C * sizeof *x);
    memcpy(values + n * C, x + 2 * C, C * sizeof *x);
    for (size_t h = 0; h < C; h += D) {
        pass->compute->product(pass->compute, 1, n + 1, D, matrix_of(x + h, C, false), matrix_of(keys + h, C, true),
                               false, p, n + 1);
        vector_softmax(n + 1, 1 / sqrtf((float)D), p, p);
        pass->compute->product(pass->compute, 1, D, n + 1, matrix_of(p, n + 1, false), matrix_of(values + h, C, false),
                               false, y + h, C);
    }
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    size_t H = ((const struct attend *)layer->settings)->heads;
    for (size_t row = 0; dx && row < pass->leaf->rows; row++)
        for (size_t h = 0; h < H; h++) {
            struct head head = head_at(layer, pass, x, row, h);
            size_t at = row * layer->outputs + h * head.D;
            backward_head(&head, y + at, saved + (row * H + h) * head.T, dy + at,
                          dx + row * layer->inputs + h * head.D);
        }
}

const struct layer_class layer_attend = {
    KIND_OF("attend", "attention between its two dense layers", struct attend, NULL),
    .build = build,
    .forward = forward,
    .forward_next = forward_next,
    .backward = backward,
    .needs_x = true,
    .needs_y = true,
};
