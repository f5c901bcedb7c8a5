/* y = (x - mean) / sqrt(variance + epsilon) * weight + bias, with mean and variance of a sample over each group of
 * channels that stand side by side, and weight and bias of each channel (Y. Wu, K. He, "Group normalization", ECCV
 * 2018, equations 1 to 6). Of images and volumes, or of features, which are channels of one value.
 *
 * Letters: G groups; D channels of a group; n values of a channel. */
#include "nn/layers/group_norm.h"

#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

#include <math.h>
#include <string.h>

enum { WEIGHT, BIAS };

static const struct option_row keys[] = {
    {"groups", "groups that the channels are divided into", FIELD(struct group_norm, groups),
     WHOLE(1, LAYER_WIDTH_MOST)},
    {"epsilon", "added to the variance", FIELD(struct group_norm, epsilon), REAL(1e-30, INFINITY), DEFAULT("1e-5")},
    {0},
};

struct groups {
    size_t C, G, D, n;
};

static struct groups groups_of(const struct layer *layer)
{
    const struct group_norm *norm = layer->settings;
    size_t C = layer->in.size[0], G = norm->groups;
    return (struct groups){.C = C, .G = G, .D = C / G, .n = layer->inputs / C};
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    if (layer->in.dims == 2)
        return error_set(
            error, ERROR_USAGE,
            "it needs an image (channels x height x width), a volume or features, but its input is a sequence of "
            "%zux%zu (positions x channels): use layer_norm",
            layer->in.size[0], layer->in.size[1]);
    struct groups v = groups_of(layer);
    if (v.C % v.G != 0)
        return error_set(error, ERROR_USAGE,
                         "%zu channels cannot be divided into %zu equal groups: set groups to a "
                         "divisor of %zu",
                         v.C, v.G, v.C);
    struct tensor weight = {.dims = 1, .shape = {v.C}, .role = TENSOR_NORM, .init = TENSOR_CONSTANT, .scale = 1};
    struct tensor bias = weight;
    bias.scale = 0;
    layer_add_tensor(layer, table, "weight", weight);
    layer_add_tensor(layer, table, "bias", bias);
    layer->out = layer->in;
    layer->saved = 2 * layer->rows * v.G; /* mean and r of each group */
    layer->scratch = v.D * v.n;           /* x - mean of a group */
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    struct groups v = groups_of(layer);
    const struct group_norm *norm = layer->settings;
    for (size_t i = 0; i < pass->leaf->rows * v.G; i++, saved += 2) {
        const float *weight = layer_params(layer, pass, WEIGHT) + i % v.G * v.D;
        const float *bias = layer_params(layer, pass, BIAS) + i % v.G * v.D;
        float variance;
        vector_moments(v.D * v.n, x, &saved[0], &variance);
        saved[1] = 1 / sqrtf(variance + (float)norm->epsilon);
        vector_affine(v.D * v.n, 1, -saved[0], x, y);
        for (size_t d = 0; d < v.D; d++, x += v.n, y += v.n)
            vector_affine(v.n, saved[1] * weight[d], bias[d], y, y);
    }
}

/* One group of one sample: x, dy and dx [D, n], `saved` its mean and r; adds to dweight and dbias [D]. */
static void backward_group(const struct groups *v, const float *x, const float *saved, const float *dy,
                           const float *weight, float *dweight, float *dbias, float *dx, float *scratch)
{
    size_t D = v->D, n = v->n;
    float r = saved[1], count = (float)(D * n), shift = 0, slope = 0;
    float *center = scratch;
    vector_affine(D * n, 1, -saved[0], x, center);
    for (size_t d = 0; d < D; d++) {
        float sum = vector_sum(n, dy + d * n), product = r * vector_dot(n, dy + d * n, center + d * n);
        dbias[d] += sum;
        dweight[d] += product;
        shift += weight[d] * sum;
        slope += weight[d] * product;
    }
    if (!dx)
        return;
    /* dx = r (weight dy - shift / count - (x - mean) r slope / count) */
    vector_affine(D * n, -r * r * (slope / count), -r * (shift / count), center, center);
    for (size_t d = 0; d < D; d++)
        vector_scale(n, r * weight[d], dy + d * n, dx + d * n);
    vector_add(D * n, dx, center, dx);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y;
    struct groups v = groups_of(layer);
    float *dweight = layer_gradient(layer, pass, WEIGHT), *dbias = layer_gradient(layer, pass, BIAS);
    memset(dweight, 0, v.C * sizeof *dweight);
    memset(dbias, 0, v.C * sizeof *dbias);
    for (size_t i = 0; i < pass->leaf->rows * v.G; i++) {
        size_t at = i * v.D * v.n, d = i % v.G * v.D;
        backward_group(&v, x + at, saved + 2 * i, dy + at, layer_params(layer, pass, WEIGHT) + d, dweight + d,
                       dbias + d, dx ? dx + at : NULL, pass->scratch);
    }
}

const struct layer_class layer_group_norm = {
    KIND_OF("group_norm", "groups of channels of a sample to mean 0 and variance 1, then weight and bias",
            struct group_norm, keys),
    .reads = READS_PLANES,
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .in_place = true,
};
