/* Three-dimensional convolution, [C, D, H, W] -> [O, Z, Y, X]. Letters: kernels/convolution.h. An image [D, H, W] is
 * a volume of one channel: as such an array [N, D, H, W] comes to who does not ask the model what it reads
 * (nn/reading.h). */
#include "nn/layers/conv3d.h"

#include "base/rows.h"
#include "nn/kernels/convolution.h"
#include "nn/layers/layers.h"

#include <limits.h>

enum { WEIGHT, BIAS };

static const struct option_word padding_words[] = {{"valid", 0}, {"same", PADDING_SAME}, {0}};

static const struct option_row keys[] = {
    {"filters", "channels of the output", FIELD(struct conv3d, filters), WHOLE(1, LAYER_WIDTH_MOST)},
    {"kernel", "side of the cube that a filter looks at", FIELD(struct conv3d, kernel), WHOLE(1, LAYER_SIDE_MOST)},
    {"stride", "voxels from one place of the kernel to the next", FIELD(struct conv3d, stride),
     WHOLE(1, LAYER_SIDE_MOST), DEFAULT("1")},
    {"padding", "zeros on each side; same: as many as make the output as large as the input / stride",
     FIELD(struct conv3d, padding), WHOLE(0, LAYER_SIDE_MOST), .words = padding_words, DEFAULT("valid")},
    {"bias", "whether a bias is added", FIELD(struct conv3d, bias), DEFAULT("true")},
    {"init", "how the weights begin", FIELD(struct conv3d, init), .choices = init_names, DEFAULT("default")},
    {0},
};

static struct convolution convolution_of(const struct layer *layer)
{
    const struct conv3d *own = layer->settings;
    size_t k = own->kernel, stride = own->stride;
    struct convolution v = {.M = layer->rows,
                            .C = layer->in.dims == 4 ? layer->in.size[0] : 1,
                            .O = own->filters,
                            .groups = 1,
                            .kernel = {k, k, k},
                            .stride = {stride, stride, stride},
                            .dilation = {1, 1, 1}};
    v.K = v.C * k * k * k;
    for (size_t d = 0; d < 3; d++) {
        v.in[d] = layer->in.size[d + (layer->in.dims == 4)];
        v.out[d] = conv2d_side(v.in[d], k, stride, own->padding, &v.before[d]);
    }
    return v;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct conv3d *own = layer->settings;
    if (layer->in.dims != 3 && !layer_wants_volume(&layer->in, error))
        return false;
    struct convolution v = convolution_of(layer);
    if (v.out[0] == 0 || v.out[1] == 0 || v.out[2] == 0)
        return error_set(error, ERROR_USAGE,
                         "a kernel of %zux%zux%zu does not fit into its input of %zux%zux%zux%zu (channels x depth x "
                         "height x width) with %zu zeros on each side: make the kernel smaller or set padding: same",
                         v.kernel[0], v.kernel[1], v.kernel[2], v.C, v.in[0], v.in[1], v.in[2], v.before[0]);
    if (v.K > INT_MAX)
        return error_set(error, ERROR_USAGE,
                         "a filter of %zux%zux%zux%zu has more weights than products can count (%d)", v.C, v.kernel[0],
                         v.kernel[1], v.kernel[2], INT_MAX);
    layer->out = (struct shape){.dims = 4, .size = {v.O, v.out[0], v.out[1], v.out[2]}};
    layer_add_weight(layer, table, "weight", 5, (size_t[]){v.O, v.C, v.kernel[0], v.kernel[1], v.kernel[2]}, own->init,
                     v.K, v.O * v.K / v.C, 1);
    if (own->bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {v.O}, .role = TENSOR_BIAS});
    layer->scratch = layer->compute->convolution_scratch(layer->compute, &v);
    layer->flops = 2 * (double)v.O * (double)v.out[0] * (double)(v.out[1] * v.out[2]) * (double)v.K;
    return true;
}

static bool has_bias(const struct layer *layer)
{
    return ((const struct conv3d *)layer->settings)->bias;
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

const struct layer_class layer_conv3d = {
    KIND_OF("conv3d", "a convolution of a volume with cubic kernels", struct conv3d, keys),
    .reads = READS_VOLUME,
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
