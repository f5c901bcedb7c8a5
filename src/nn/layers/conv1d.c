/* Convolution of a sequence, [T, C] -> [U, O]: channels last, unlike PyTorch's Conv1d; its weight [O, C, k] is the
 * same. Features [T] are a sequence of one channel, and an image [1, T, C] is one of C: as such an array [N, T, C]
 * comes to who does not ask the model what it reads (nn/reading.h). Letters: kernels/convolution.h. */
#include "nn/layers/conv1d.h"

#include "base/rows.h"
#include "nn/kernels/convolution.h"
#include "nn/layers/layers.h"

#include <limits.h>

enum { WEIGHT, BIAS };

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

static struct convolution convolution_of(const struct layer *layer)
{
    const struct conv1d *own = layer->settings;
    const struct shape *in = &layer->in;
    struct convolution v = {.M = layer->rows,
                            .C = in->dims == 1 ? 1 : in->size[in->dims - 1],
                            .O = own->filters,
                            .groups = 1,
                            .in = {1, 1, in->size[in->dims == 3 ? 1 : 0]},
                            .out = {1, 1, 0},
                            .kernel = {1, 1, own->kernel},
                            .stride = {1, 1, own->stride},
                            .dilation = {1, 1, 1},
                            .channels_last = true};
    v.K = v.C * own->kernel;
    v.out[2] = conv2d_side(v.in[2], own->kernel, own->stride, own->padding, &v.before[2]);
    return v;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct conv1d *own = layer->settings;
    bool is_sequence = layer->in.dims == 1 || (layer->in.dims == 3 && layer->in.size[0] == 1);
    if (!is_sequence && !layer_wants_sequence(&layer->in, error))
        return false;
    struct convolution v = convolution_of(layer);
    if (v.out[2] == 0)
        return error_set(error, ERROR_USAGE,
                         "a kernel of %zu does not fit into its input of %zux%zu (positions x channels) with %zu zeros "
                         "at each end: make the kernel smaller or set padding: same",
                         v.kernel[2], v.in[2], v.C, v.before[2]);
    if (v.K > INT_MAX)
        return error_set(error, ERROR_USAGE, "a filter of %zux%zu has more weights than products can count (%d)", v.C,
                         v.kernel[2], INT_MAX);
    layer->out = (struct shape){.dims = 2, .size = {v.out[2], v.O}};
    layer_add_weight(layer, table, "weight", 3, (size_t[]){v.O, v.C, v.kernel[2]}, own->init, v.K, v.O * v.kernel[2],
                     1);
    if (own->bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {v.O}, .role = TENSOR_BIAS});
    layer->scratch = layer->compute->convolution_scratch(layer->compute, &v);
    layer->sees_ahead = v.before[2] + 1 < v.kernel[2];
    layer->flops = 2 * (double)v.O * (double)v.out[2] * (double)v.K;
    return true;
}

static bool has_bias(const struct layer *layer)
{
    return ((const struct conv1d *)layer->settings)->bias;
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

const struct layer_class layer_conv1d = {
    KIND_OF("conv1d", "a convolution of a sequence", struct conv1d, keys),
    .reads = READS_SEQUENCE,
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
