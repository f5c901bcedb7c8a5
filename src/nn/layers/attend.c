/* Attention between its two dense layers (A. Vaswani et al., "Attention is all you need", NeurIPS 2017, equation 1):
 * of each head y = softmax(q k' / sqrt(D)) v, [T, 3C] -> [T, C].
 *
 * It goes by tiles of query rows, so that no [T, T] matrix ever exists. Forward keeps the logarithm of each softmax's
 * sum, with which backward makes the probabilities once more (T. Dao et al., "FlashAttention", NeurIPS 2022, section
 * 3.1 and appendix B.2).
 *
 * Letters: D channels of a head; R query rows of a tile; K keys that the last of them sees. A position's 3C inputs are
 * its q, k and v side by side, each with the heads side by side. */
#include "nn/layers/attend.h"

#include "base/check.h"
#include "base/rows.h"
#include "nn/kernels/compute.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

#include <math.h>
#include <string.h>

#define TILE_ROWS 32 /* R at most: enough for BLAS, few enough that causal tiles skip most of what nobody sees */

/* One head of one sample. */
struct head {
    const struct compute *compute;
    size_t T, C, D;
    size_t R;
    bool causal;
    float scale;
    const float *q, *k, *v; /* [T, D], rows 3C apart */
    float *p;               /* [R, T] scratch: probabilities */
    float *dp;              /* [R, T] scratch: their gradient */
};

struct tile {
    size_t first; /* query row */
    size_t R, K;
};

/* Tiles of nearly equal size: 65 rows are 22, 22 and 21, not 32, 32 and 1. */
static size_t tile_rows(size_t T)
{
    size_t tiles = (T + TILE_ROWS - 1) / TILE_ROWS;
    return (T + tiles - 1) / tiles;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    const struct attend *attend = layer->settings;
    size_t T = layer->in.size[0], C = layer->in.size[1] / 3;
    CHECK(layer->in.dims == 2 && C * 3 == layer->in.size[1] && C % attend->heads == 0, "attention.c sees to it");
    layer->out = (struct shape){.dims = 2, .size = {T, C}};
    layer->saved = layer->rows * attend->heads * T;
    layer->scratch = 2 * tile_rows(T) * T;
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
    size_t T = layer->out.size[0], C = layer->out.size[1], D = C / attend->heads, R = tile_rows(T);
    const float *q = x + row * T * 3 * C + h * D;
    return (struct head){.compute = pass->compute,
                         .T = T,
                         .C = C,
                         .D = D,
                         .R = R,
                         .causal = attend->causal,
                         .scale = 1 / sqrtf((float)D),
                         .q = q,
                         .k = q + C,
                         .v = q + 2 * C,
                         .p = pass->scratch,
                         .dp = pass->scratch + R * T};
}

static struct tile tile_at(const struct head *head, size_t first)
{
    size_t R = head->T - first < head->R ? head->T - first : head->R;
    return (struct tile){.first = first, .R = R, .K = head->causal ? first + R : head->T};
}

/* Keys that row i of the tile sees. */
static size_t seen(const struct head *head, const struct tile *tile, size_t i)
{
    return head->causal ? tile->first + i + 1 : tile->K;
}

static void product(const struct head *head, size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds,
                    float *c, size_t stride)
{
    head->compute->product(head->compute, m, n, k, a, b, adds, c, stride);
}

/* p [R, K] = q k' of the tile, before scale and softmax. */
static void score(const struct head *head, const struct tile *tile)
{
    size_t ld = 3 * head->C;
    product(head, tile->R, tile->K, head->D, matrix_of(head->q + tile->first * ld, ld, false),
            matrix_of(head->k, ld, true), false, head->p, tile->K);
}

/* y [T, D], rows C apart; log_sums [T]. */
static void forward_head(const struct head *head, float *y, float *log_sums)
{
    for (size_t first = 0; first < head->T; first += head->R) {
        struct tile tile = tile_at(head, first);
        score(head, &tile);
        for (size_t i = 0; i < tile.R; i++) {
            float *p = head->p + i * tile.K;
            size_t n = seen(head, &tile, i);
            log_sums[first + i] = vector_softmax(n, head->scale, p, p);
            memset(p + n, 0, (tile.K - n) * sizeof *p);
        }
        product(head, tile.R, head->D, tile.K, matrix_of(head->p, tile.K, false),
                matrix_of(head->v, 3 * head->C, false), false, y + first * head->C, head->C);
    }
}

/* p [R, K] again, and in dp [R, K] the gradient of q k', from y and dy [T, D], rows C apart. */
static void score_back(const struct head *head, const struct tile *tile, const float *y, const float *log_sums,
                       const float *dy)
{
    size_t C = head->C, first = tile->first;
    score(head, tile);
    product(head, tile->R, tile->K, head->D, matrix_of(dy + first * C, C, false), matrix_of(head->v, 3 * C, true), 0,
            head->dp, tile->K);
    for (size_t i = 0; i < tile->R; i++) {
        float *p = head->p + i * tile->K, *dp = head->dp + i * tile->K;
        size_t n = seen(head, tile, i), rest = (tile->K - n) * sizeof *p, row = (first + i) * C;
        /* dot(p, dp) = dot(p, v dy) = dot(y, dy), which is shorter. */
        float delta = vector_dot(head->D, dy + row, y + row);
        vector_softmax_again(n, head->scale, log_sums[first + i], p, p);
        vector_softmax_back(n, head->scale, delta, p, dp, dp);
        memset(p + n, 0, rest);
        memset(dp + n, 0, rest);
    }
}

/* dq [T, D], rows 3C apart, with dk and dv behind it as k and v are behind q. */
static void backward_head(const struct head *head, const float *y, const float *log_sums, const float *dy, float *dq)
{
    size_t C = head->C, D = head->D, ld = 3 * C, last = (head->T - 1) / head->R * head->R;
    /* From the last tile, which sees all keys and writes the gradient of each, to the first: the others add. */
    for (size_t first = last; first < head->T; first -= head->R) {
        struct tile tile = tile_at(head, first);
        bool adds = first != last;
        score_back(head, &tile, y, log_sums, dy);
        product(head, tile.R, D, tile.K, matrix_of(head->dp, tile.K, false), matrix_of(head->k, ld, false), false,
                dq + first * ld, ld);
        product(head, tile.K, D, tile.R, matrix_of(head->dp, tile.K, true), matrix_of(head->q + first * ld, ld, false),
                adds, dq + C, ld);
        product(head, tile.K, D, tile.R, matrix_of(head->p, tile.K, true), matrix_of(dy + first * C, C, false), adds,
                dq + 2 * C, ld);
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
