/* Two-dimensional convolution (a cross-correlation, as everywhere): [C, H, W] -> [O, Y, X], as a product of the filters
 * [O, K] with the columns of conv.h. Letters are explained there. */
#include "nn/layers/conv2d.h"

#include "base/rows.h"
#include "nn/kernels/compute.h"
#include "nn/kernels/vector.h"
#include "nn/layers/conv.h"
#include "nn/layers/layers.h"

#include <limits.h>
#include <string.h>

enum { WEIGHT, BIAS };

static const struct option_word padding_words[] = {{"valid", 0}, {"same", PADDING_SAME}, {0}};

static const struct option keys[] = {
    {"filters", "channels of the output", FIELD(struct conv2d, filters), WHOLE(1, LAYER_WIDTH_MOST)},
    {"kernel", "side of the square that a filter looks at", FIELD(struct conv2d, kernel), WHOLE(1, LAYER_SIDE_MOST)},
    {"stride", "pixels from one place of the kernel to the next", FIELD(struct conv2d, stride),
     WHOLE(1, LAYER_SIDE_MOST), DEFAULT("1")},
    {"padding", "zeros on each side; same: as many as make the output as large as the input / stride",
     FIELD(struct conv2d, padding), WHOLE(0, LAYER_SIDE_MOST), .words = padding_words, DEFAULT("valid")},
    {"bias", "whether a bias is added", FIELD(struct conv2d, bias), DEFAULT("true")},
    {"init", "how the weights begin", FIELD(struct conv2d, init), .choices = init_names, DEFAULT("default")},
    {0},
};

/* Zeros before the first of `size` values such that `out` places fit. */
static size_t same_padding(size_t size, size_t out, size_t k, size_t stride)
{
    size_t span = (out - 1) * stride + k;
    return span > size ? (span - size) / 2 : 0;
}

/* Y is 0 if the kernel does not fit. */
static struct conv conv_of(const struct layer *layer)
{
    const struct conv2d *conv2d = layer->settings;
    struct conv v = {.C = layer->in.size[0],
                     .H = layer->in.size[1],
                     .W = layer->in.size[2],
                     .O = conv2d->filters,
                     .k = conv2d->kernel,
                     .stride = conv2d->stride,
                     .top = conv2d->padding,
                     .left = conv2d->padding};
    v.K = v.C * v.k * v.k;
    if (conv2d->padding == PADDING_SAME) {
        v.Y = (v.H + v.stride - 1) / v.stride;
        v.X = (v.W + v.stride - 1) / v.stride;
        v.top = same_padding(v.H, v.Y, v.k, v.stride);
        v.left = same_padding(v.W, v.X, v.k, v.stride);
    } else if (v.H + 2 * v.top >= v.k && v.W + 2 * v.left >= v.k) {
        v.Y = (v.H + 2 * v.top - v.k) / v.stride + 1;
        v.X = (v.W + 2 * v.left - v.k) / v.stride + 1;
    } else {
        return v; /* no place: build says so */
    }
    conv_choose_tile(&v, layer->rows);
    return v;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct conv2d *conv2d = layer->settings;
    if (!layer_wants_image(&layer->in, error))
        return false;
    struct conv v = conv_of(layer);
    if (v.Y == 0)
        return error_set(error, ERROR_USAGE,
                         "a kernel of %zux%zu does not fit into its input of %zux%zux%zu with %zu zeros on each side: "
                         "make the kernel smaller or set padding: same",
                         v.k, v.k, v.C, v.H, v.W, v.top);
    if (v.K > INT_MAX)
        return error_set(error, ERROR_USAGE, "a filter of %zux%zux%zu has more weights than BLAS can count (%d)", v.C,
                         v.k, v.k, INT_MAX);
    layer->out = (struct shape){.dims = 3, .size = {v.O, v.Y, v.X}};
    layer_add_weight(layer, table, "weight", 4, (size_t[]){v.O, v.C, v.k, v.k}, conv2d->init, v.K, v.O * v.k * v.k, 1);
    if (conv2d->bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {v.O}, .role = TENSOR_BIAS});
    size_t N = v.S * v.R * v.X;
    layer->scratch = (v.plain ? 0 : v.K * N) + (v.S > 1 ? v.O * N : 0);
    layer->flops = 2 * (double)v.O * (double)(v.Y * v.X) * (double)v.K;
    return true;
}

/* Where channel o of sample s of the tile begins in [M, O, Y, X]; [R, X] are there. */
static size_t out_at(const struct conv *v, const struct tile *tile, size_t s, size_t o)
{
    return (((tile->first + s) * v->O + o) * v->Y + tile->row) * v->X;
}

static bool has_bias(const struct layer *layer)
{
    return ((const struct conv2d *)layer->settings)->bias;
}

static void forward_tile(const struct layer *layer, const struct pass *pass, const struct conv *v,
                         const struct tile *tile, const float *x, float *y)
{
    const float *weight = layer_params(layer, pass, WEIGHT);
    const float *bias = has_bias(layer) ? layer_params(layer, pass, BIAS) : NULL;
    float *scratch = pass->scratch;
    const float *columns = conv_columns(v, tile, x, scratch);
    /* [O, N]: in its place at once, if it is of one sample. */
    float *out = tile->S > 1 ? scratch + v->K * tile->N : y + out_at(v, tile, 0, 0);
    size_t pitch = tile->S > 1 ? tile->N : v->Y * v->X, part = tile->R * v->X;
    pass->compute->product(pass->compute, v->O, tile->N, v->K, (struct matrix){weight, v->K, false},
                           (struct matrix){columns, tile->N, false}, 0, out, pitch);
    for (size_t s = 0; (bias || tile->S > 1) && s < tile->S; s++)
        for (size_t o = 0; o < v->O; o++)
            vector_affine(part, 1, bias ? bias[o] : 0, out + o * pitch + s * part, y + out_at(v, tile, s, o));
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    struct conv v = conv_of(layer);
    for (size_t first = 0; first < pass->leaf->rows; first += v.S)
        for (size_t row = 0; row < v.Y; row += v.R) {
            struct tile tile = conv_tile(&v, pass->leaf->rows, first, row);
            forward_tile(layer, pass, &v, &tile, x, y);
        }
}

/* dy of a tile as a matrix [O, N], rows *pitch apart. */
static const float *gradient_of(const struct conv *v, const struct tile *tile, const float *dy, float *scratch,
                                size_t *pitch)
{
    size_t part = tile->R * v->X;
    *pitch = v->Y * v->X;
    if (tile->S == 1)
        return dy + out_at(v, tile, 0, 0);
    *pitch = tile->N;
    for (size_t o = 0; o < v->O; o++)
        for (size_t s = 0; s < tile->S; s++)
            memcpy(scratch + o * tile->N + s * part, dy + out_at(v, tile, s, o), part * sizeof *dy);
    return scratch;
}

/* Adds to the gradients of weight and bias, which the first tile overwrites. */
static void backward_params(const struct layer *layer, const struct pass *pass, const struct conv *v,
                            const struct tile *tile, const float *columns, const float *g, size_t pitch)
{
    bool begins = tile->first == 0 && tile->row == 0;
    float *dbias = has_bias(layer) ? layer_gradient(layer, pass, BIAS) : NULL;
    pass->compute->product(pass->compute, v->O, v->K, tile->N, (struct matrix){g, pitch, false},
                           (struct matrix){columns, tile->N, true}, begins ? 0 : 1, layer_gradient(layer, pass, WEIGHT),
                           v->K);
    for (size_t o = 0; dbias && o < v->O; o++)
        dbias[o] = (begins ? 0 : dbias[o]) + vector_sum(tile->N, g + o * pitch);
}

static void backward_tile(const struct layer *layer, const struct pass *pass, const struct conv *v,
                          const struct tile *tile, const float *x, const float *dy, float *dx)
{
    float *scratch = pass->scratch;
    size_t pitch;
    const float *g = gradient_of(v, tile, dy, scratch + v->K * tile->N, &pitch);
    const float *columns = conv_columns(v, tile, x, scratch);
    backward_params(layer, pass, v, tile, columns, g, pitch);
    if (!dx)
        return;
    size_t image = v->C * v->H * v->W;
    float *down = v->plain ? dx + tile->first * image : scratch;
    pass->compute->product(pass->compute, v->K, tile->N, v->O,
                           (struct matrix){layer_params(layer, pass, WEIGHT), v->K, true},
                           (struct matrix){g, pitch, false}, 0, down, tile->N);
    if (v->plain)
        return;
    if (tile->row == 0)
        memset(dx + tile->first * image, 0, tile->S * image * sizeof *dx);
    conv_add_columns(v, tile, scratch, dx);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    struct conv v = conv_of(layer);
    for (size_t first = 0; first < pass->leaf->rows; first += v.S)
        for (size_t row = 0; row < v.Y; row += v.R) {
            struct tile tile = conv_tile(&v, pass->leaf->rows, first, row);
            backward_tile(layer, pass, &v, &tile, x, dy, dx);
        }
}

const struct layer_class layer_conv2d = {
    KIND_OF("conv2d", "a convolution of an image with square kernels", struct conv2d, keys),
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
