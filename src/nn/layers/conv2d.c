/* Two-dimensional convolution (a cross-correlation, as everywhere): [C, H, W] -> [O, Y, X], as a product of the filters
 * [O, K] with the columns of conv.h. Letters are explained there. */
#include "nn/kernels/gemm.h"
#include "nn/kernels/vector.h"
#include "nn/layers/conv.h"

#include <limits.h>
#include <string.h>

enum { WEIGHT, BIAS };

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct layer_spec *spec = &layer->spec;
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
    layer_add_weight(layer, table, "weight", 4, (size_t[]){v.O, v.C, v.k, v.k}, v.K, v.O * v.k * v.k);
    if (spec->bias)
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

static void forward_tile(const struct conv *v, const struct tile *tile, const float *weight, const float *bias,
                         const float *x, float *y, float *scratch)
{
    const float *columns = conv_columns(v, tile, x, scratch);
    /* [O, N]: in its place at once, if it is of one sample. */
    float *out = tile->S > 1 ? scratch + v->K * tile->N : y + out_at(v, tile, 0, 0);
    size_t pitch = tile->S > 1 ? tile->N : v->Y * v->X, part = tile->R * v->X;
    gemm_part(GEMM_PLAIN, GEMM_PLAIN, v->O, tile->N, v->K, weight, v->K, columns, tile->N, 0, out, pitch);
    for (size_t s = 0; (bias || tile->S > 1) && s < tile->S; s++)
        for (size_t o = 0; o < v->O; o++)
            vector_affine(part, 1, bias ? bias[o] : 0, out + o * pitch + s * part, y + out_at(v, tile, s, o));
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    struct conv v = conv_of(layer);
    const float *bias = layer->spec.bias ? layer_params(layer, pass, BIAS) : NULL;
    for (size_t first = 0; first < pass->leaf->rows; first += v.S)
        for (size_t row = 0; row < v.Y; row += v.R) {
            struct tile tile = conv_tile(&v, pass->leaf->rows, first, row);
            forward_tile(&v, &tile, layer_params(layer, pass, WEIGHT), bias, x, y, pass->scratch);
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

static void backward_tile(const struct conv *v, const struct tile *tile, const float *weight, const float *x,
                          const float *dy, float *dweight, float *dbias, float *dx, float *scratch)
{
    bool begins = tile->first == 0 && tile->row == 0;
    size_t pitch;
    const float *g = gradient_of(v, tile, dy, scratch + v->K * tile->N, &pitch);
    const float *columns = conv_columns(v, tile, x, scratch);
    gemm_part(GEMM_PLAIN, GEMM_TRANSPOSED, v->O, v->K, tile->N, g, pitch, columns, tile->N, begins ? 0 : 1, dweight,
              v->K);
    for (size_t o = 0; dbias && o < v->O; o++)
        dbias[o] = (begins ? 0 : dbias[o]) + vector_sum(tile->N, g + o * pitch);
    if (!dx)
        return;
    size_t image = v->C * v->H * v->W;
    float *down = v->plain ? dx + tile->first * image : scratch;
    gemm_part(GEMM_TRANSPOSED, GEMM_PLAIN, v->K, tile->N, v->O, weight, v->K, g, pitch, 0, down, tile->N);
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
    float *dbias = layer->spec.bias ? layer_gradient(layer, pass, BIAS) : NULL;
    for (size_t first = 0; first < pass->leaf->rows; first += v.S)
        for (size_t row = 0; row < v.Y; row += v.R) {
            struct tile tile = conv_tile(&v, pass->leaf->rows, first, row);
            backward_tile(&v, &tile, layer_params(layer, pass, WEIGHT), x, dy, layer_gradient(layer, pass, WEIGHT),
                          dbias, dx, pass->scratch);
        }
}

const struct layer_class layer_conv2d = {
    .name = "conv2d", .build = build, .forward = forward, .backward = backward, .needs_x = true};
