/* Two-dimensional convolution, [C, H, W] -> [O, Y, X]. Letters: kernels/convolution.h. */
#include "nn/layers/conv2d.h"

#include "base/rows.h"
#include "nn/kernels/convolution.h"
#include "nn/layers/layers.h"

#include <limits.h>

enum { WEIGHT, BIAS };

static const struct option_word padding_words[] = {{"valid", 0}, {"same", PADDING_SAME}, {0}};

static const struct option_row keys[] = {
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

size_t conv2d_same_padding(size_t size, size_t out, size_t k, size_t stride)
{
    size_t span = (out - 1) * stride + k;
    return span > size ? (span - size) / 2 : 0;
}

/* out[2] is 0 if the kernel does not fit: build says so. */
static struct convolution convolution_of(const struct layer *layer)
{
    const struct conv2d *conv2d = layer->settings;
    struct convolution v = {.M = layer->rows,
                            .C = layer->in.size[0],
                            .O = conv2d->filters,
                            .groups = 1,
                            .in = {1, layer->in.size[1], layer->in.size[2]},
                            .out = {1, 0, 0},
                            .kernel = {1, conv2d->kernel, conv2d->kernel},
                            .stride = {1, conv2d->stride, conv2d->stride},
                            .dilation = {1, 1, 1}};
    v.K = v.C * v.kernel[1] * v.kernel[2];
    for (size_t d = 1; d < 3; d++)
        v.out[d] = conv2d_side(v.in[d], conv2d->kernel, conv2d->stride, conv2d->padding, &v.before[d]);
    return v;
}

size_t conv2d_side(size_t size, size_t k, size_t stride, size_t padding, size_t *before)
{
    if (padding == PADDING_SAME) {
        size_t out = (size + stride - 1) / stride;
        *before = conv2d_same_padding(size, out, k, stride);
        return out;
    }
    *before = padding;
    return size + 2 * padding >= k ? (size + 2 * padding - k) / stride + 1 : 0;
}

struct conv2d_zeros conv2d_zeros(uint64_t kernel, uint64_t stride, uint64_t padding, size_t in, size_t out)
{
    size_t span = (out - 1) * (size_t)stride + (size_t)kernel, before = conv2d_same_padding(in, out, kernel, stride);
    if (padding != PADDING_SAME)
        return (struct conv2d_zeros){padding, padding};
    return (struct conv2d_zeros){before, span > in + before ? span - in - before : 0};
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct conv2d *conv2d = layer->settings;
    if (!layer_wants_image(&layer->in, error))
        return false;
    struct convolution v = convolution_of(layer);
    if (v.out[1] == 0 || v.out[2] == 0)
        return error_set(error, ERROR_USAGE,
                         "a kernel of %zux%zu does not fit into its input of %zux%zux%zu with %zu zeros on each side: "
                         "make the kernel smaller or set padding: same",
                         v.kernel[1], v.kernel[2], v.C, v.in[1], v.in[2], v.before[1]);
    if (v.K > INT_MAX)
        return error_set(error, ERROR_USAGE, "a filter of %zux%zux%zu has more weights than products can count (%d)",
                         v.C, v.kernel[1], v.kernel[2], INT_MAX);
    layer->out = (struct shape){.dims = 3, .size = {v.O, v.out[1], v.out[2]}};
    layer_add_weight(layer, table, "weight", 4, (size_t[]){v.O, v.C, v.kernel[1], v.kernel[2]}, conv2d->init, v.K,
                     v.O * v.kernel[1] * v.kernel[2], 1);
    if (conv2d->bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {v.O}, .role = TENSOR_BIAS});
    layer->scratch = layer->compute->convolution_scratch(layer->compute, &v);
    layer->flops = 2 * (double)v.O * (double)(v.out[1] * v.out[2]) * (double)v.K;
    return true;
}

static bool has_bias(const struct layer *layer)
{
    return ((const struct conv2d *)layer->settings)->bias;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    struct convolution v = convolution_of(layer);
    pass->compute->convolution_forward(pass->compute, &v, pass->leaf->rows, x, layer_weight(layer, pass, WEIGHT, v.K),
                                       has_bias(layer) ? layer_params(layer, pass, BIAS) : NULL, pass->scratch, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    struct convolution v = convolution_of(layer);
    pass->compute->convolution_dweight(pass->compute, &v, pass->leaf->rows, x, dy, pass->scratch,
                                       layer_gradient(layer, pass, WEIGHT),
                                       has_bias(layer) ? layer_gradient(layer, pass, BIAS) : NULL);
    if (dx)
        pass->compute->convolution_dx(pass->compute, &v, pass->leaf->rows, dy, layer_weight(layer, pass, WEIGHT, v.K),
                                      pass->scratch, dx);
}

const struct layer_class layer_conv2d = {
    KIND_OF("conv2d", "a convolution of an image with square kernels", struct conv2d, keys),
    .reads = READS_IMAGE,
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
