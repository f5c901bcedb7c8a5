/* Convolution of a sequence, [T, C] -> [U, O]: channels last, unlike PyTorch's Conv1d; its weight [O, C, k] is the
 * same. The values under each place of the kernel become a row [C, k], and the layer a dense one of these rows.
 * Features [T] are a sequence of one channel, and an image [1, T, C] is one of C: as such an array [N, T, C] comes to
 * who does not ask the model what it reads (nn/reading.h).
 *
 * Letters: T, U positions of input and output; k length of the kernel; K = C k; S samples of a tile. */
#include "nn/layers/conv1d.h"

#include "base/rows.h"
#include "nn/layers/layers.h"
#include "nn/layers/linear.h"

#include <limits.h>
#include <string.h>

enum { WEIGHT, BIAS };

#define TILE_FLOATS (1 << 18) /* of rows: 1 MB, about a core's cache; more if one sample has more */

static const struct option_word padding_words[] = {{"valid", 0}, {"same", PADDING_SAME}, {0}};

static const struct option_row keys[] = {
    {"filters", "channels of the output", FIELD(struct conv1d, filters), WHOLE(1, LAYER_WIDTH_MOST)},
    {"kernel", "positions that a filter looks at", FIELD(struct conv1d, kernel), WHOLE(1, LAYER_SIDE_MOST)},
    {"stride", "positions from one place of the kernel to the next", FIELD(struct conv1d, stride),
     WHOLE(1, LAYER_SIDE_MOST), DEFAULT("1")},
    {"padding", "zeros at each end; same: as many as make the output as long as the input / stride",
     FIELD(struct conv1d, padding), WHOLE(0, LAYER_SIDE_MOST), .words = padding_words, DEFAULT("valid")},
    {"bias", "whether a bias is added", FIELD(struct conv1d, bias), DEFAULT("true")},
    {"init", "how the weights begin", FIELD(struct conv1d, init), .choices = init_names, DEFAULT("default")},
    {0},
};

struct sweep {
    size_t T, C, U, O, k, K, stride, before; /* zeros in front of the first position */
    size_t S;                                /* of a full tile */
};

/* U is 0 if the kernel does not fit: build says so. */
static struct sweep sweep_of(const struct layer *layer)
{
    const struct conv1d *own = layer->settings;
    const struct shape *in = &layer->in;
    struct sweep v = {.T = in->size[in->dims == 3 ? 1 : 0],
                      .C = in->dims == 1 ? 1 : in->size[in->dims - 1],
                      .O = own->filters,
                      .k = own->kernel,
                      .stride = own->stride,
                      .before = own->padding};
    v.K = v.C * v.k;
    if (own->padding == PADDING_SAME) {
        v.U = (v.T + v.stride - 1) / v.stride;
        v.before = conv2d_same_padding(v.T, v.U, v.k, v.stride);
    } else if (v.T + 2 * v.before >= v.k) {
        v.U = (v.T + 2 * v.before - v.k) / v.stride + 1;
    }
    size_t fit = v.U > 0 ? TILE_FLOATS / (v.U * v.K) : 0;
    v.S = fit < 1 ? 1 : fit < layer->rows ? fit : layer->rows;
    return v;
}

/* Goes through S samples x [T, C]: makes their rows [U, C, k]; or, if `dx` is not NULL, adds the rows to dx. */
static void each_place(const struct sweep *v, size_t S, const float *x, float *rows, float *dx)
{
    for (size_t place = 0; place < S * v->U; place++, rows += v->K)
        for (size_t j = 0; j < v->k; j++) {
            size_t padded = place % v->U * v->stride + j, at = (place / v->U * v->T + padded - v->before) * v->C;
            bool inside = padded >= v->before && padded - v->before < v->T;
            for (size_t c = 0; c < v->C; c++)
                if (dx && inside)
                    dx[at + c] += rows[c * v->k + j];
                else if (!dx)
                    rows[c * v->k + j] = inside ? x[at + c] : 0;
        }
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct conv1d *own = layer->settings;
    bool is_sequence = layer->in.dims == 1 || (layer->in.dims == 3 && layer->in.size[0] == 1);
    if (!is_sequence && !layer_wants_sequence(&layer->in, error))
        return false;
    struct sweep v = sweep_of(layer);
    if (v.U == 0)
        return error_set(error, ERROR_USAGE,
                         "a kernel of %zu does not fit into its input of %zux%zu (positions x channels) with %zu zeros "
                         "at each end: make the kernel smaller or set padding: same",
                         v.k, v.T, v.C, v.before);
    if (v.K > INT_MAX)
        return error_set(error, ERROR_USAGE, "a filter of %zux%zu has more weights than products can count (%d)", v.C, v.k,
                         INT_MAX);
    layer->out = (struct shape){.dims = 2, .size = {v.U, v.O}};
    layer_add_weight(layer, table, "weight", 3, (size_t[]){v.O, v.C, v.k}, own->init, v.K, v.O * v.k, 1);
    if (own->bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {v.O}, .role = TENSOR_BIAS});
    layer->scratch = 2 * v.S * v.U * v.K; /* the rows, and their gradient */
    layer->sees_ahead = v.before + 1 < v.k;
    layer->flops = 2 * (double)v.O * (double)v.U * (double)v.K;
    return true;
}

static bool has_bias(const struct layer *layer)
{
    return ((const struct conv1d *)layer->settings)->bias;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    struct sweep v = sweep_of(layer);
    size_t M = pass->leaf->rows;
    for (size_t first = 0; first < M; first += v.S, x += v.S * v.T * v.C, y += v.S * v.U * v.O) {
        size_t S = M - first < v.S ? M - first : v.S;
        each_place(&v, S, x, pass->scratch, NULL);
        linear_forward(pass->compute, S * v.U, v.K, v.O, pass->scratch, layer_weight(layer, pass, WEIGHT, v.K),
                       has_bias(layer) ? layer_params(layer, pass, BIAS) : NULL, y);
    }
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    struct sweep v = sweep_of(layer);
    size_t M = pass->leaf->rows;
    float *rows = pass->scratch, *drows = dx ? rows + v.S * v.U * v.K : NULL;
    if (dx)
        memset(dx, 0, M * layer->inputs * sizeof *dx);
    for (size_t first = 0; first < M; first += v.S) {
        size_t S = M - first < v.S ? M - first : v.S;
        each_place(&v, S, x + first * layer->inputs, rows, NULL);
        linear_backward(pass->compute, S * v.U, v.K, v.O, rows, layer_weight(layer, pass, WEIGHT, v.K),
                        dy + first * layer->outputs, drows, layer_gradient(layer, pass, WEIGHT), first > 0,
                        has_bias(layer) ? layer_gradient(layer, pass, BIAS) : NULL, first > 0);
        if (dx)
            each_place(&v, S, NULL, drows, dx + first * layer->inputs);
    }
}

const struct layer_class layer_conv1d = {
    KIND_OF("conv1d", "a convolution of a sequence", struct conv1d, keys),
    .reads = READS_SEQUENCE,
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
