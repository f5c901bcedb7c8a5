/* y = (x - mean) / sqrt(variance + epsilon) * weight + bias of each channel, with mean and variance over a leaf's
 * samples and positions in training, and their running averages otherwise (S. Ioffe, C. Szegedy, "Batch normalization",
 * ICML 2015, algorithms 1 and 2).
 *
 * The batch is the leaf, whose size the job fixes, so that the result does not depend on the number of ranks. The
 * running averages are tensors: what is a gradient elsewhere is the leaf's statistic here (see tensor.h).
 *
 * Letters: n values of a channel in a sample; N = M n of them in the leaf. Images and volumes have channels as planes;
 * features and sequences have them side by side, in M n rows. */
#include "nn/layers/batch_norm.h"

#include "base/rows.h"
#include "base/target.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

#include <math.h>

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };

static const struct option_row keys[] = {
    {"momentum", "weight of a leaf's statistics in the running averages", FIELD(struct batch_norm, momentum),
     REAL(0, 1), .above = true, DEFAULT("0.1")},
    {"epsilon", "added to the variance", FIELD(struct batch_norm, epsilon), REAL(1e-30, INFINITY), DEFAULT("1e-5")},
    {0},
};

struct norm {
    size_t M, C, n;
    bool planes;
    /* scratch, [C] each */
    double *sums, *products;
    float *slopes, *shifts;
    float *plane; /* [n] */
};

static size_t channels(const struct layer *layer)
{
    return layer->in.dims == 2 ? layer->in.size[1] : layer->in.size[0];
}

static struct norm norm_of(const struct layer *layer, const struct pass *pass)
{
    size_t C = channels(layer);
    struct norm v = {.M = pass->leaf->rows, .C = C, .n = layer->inputs / C, .planes = layer->in.dims > 2};
    v.sums = (double *)pass->scratch;
    v.products = v.sums + C;
    v.slopes = (float *)(v.products + C);
    v.shifts = v.slopes + C;
    v.plane = v.shifts + C;
    return v;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct batch_norm *norm = layer->settings;
    size_t C = channels(layer);
    if (layer->rows * (layer->inputs / C) < 2)
        return error_set(
            error, ERROR_USAGE,
            "a leaf has one value of each channel, which has no variance: make train.microbatch larger, or use "
            "layer_norm");
    struct tensor tensor = {.dims = 1, .shape = {C}, .role = TENSOR_NORM, .init = TENSOR_CONSTANT, .scale = 1};
    layer_add_tensor(layer, table, "weight", tensor);
    tensor.scale = 0;
    layer_add_tensor(layer, table, "bias", tensor);
    tensor.role = TENSOR_STATISTIC;
    tensor.momentum = (float)norm->momentum;
    layer_add_tensor(layer, table, "running_mean", tensor);
    tensor.scale = 1;
    layer_add_tensor(layer, table, "running_var", tensor);
    layer->out = layer->in;
    layer->saved = 3 * C; /* mean, r = 1 / sqrt(variance + epsilon), unbiased variance */
    layer->scratch = 6 * C + (layer->in.dims > 2 ? layer->inputs / C : 0);
    return true;
}

/* ---- channels as planes ---- */

/* Mean and sum of squares about it, plane by plane (T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample
 * variance", 1983, equations 2.1). */
static void plane_moments(const struct norm *v, const float *x)
{
    double n = (double)v->n;
    for (size_t c = 0; c < v->C; c++) {
        double mean = 0, squares = 0;
        for (size_t m = 0; m < v->M; m++) {
            float part_mean, part_variance;
            vector_moments(v->n, x + (m * v->C + c) * v->n, &part_mean, &part_variance);
            double difference = (double)part_mean - mean, before = (double)m;
            mean += difference / (before + 1);
            squares += n * ((double)part_variance + difference * difference * before / (before + 1));
        }
        v->sums[c] = mean;
        v->products[c] = squares;
    }
}

static void plane_apply(const struct norm *v, const float *mean, const float *bias, const float *x, float *y)
{
    for (size_t i = 0; i < v->M * v->C; i++, x += v->n, y += v->n) {
        vector_affine(v->n, 1, -mean[i % v->C], x, y);
        vector_affine(v->n, v->slopes[i % v->C], bias[i % v->C], y, y);
    }
}

/* The sums of dy and of dy (x - mean). */
static void plane_back_sums(const struct norm *v, const float *mean, const float *x, const float *dy)
{
    for (size_t c = 0; c < v->C; c++) {
        double sum = 0, product = 0;
        for (size_t m = 0; m < v->M; m++) {
            size_t at = (m * v->C + c) * v->n;
            vector_affine(v->n, 1, -mean[c], x + at, v->plane);
            sum += (double)vector_sum(v->n, dy + at);
            product += (double)vector_dot(v->n, dy + at, v->plane);
        }
        v->sums[c] = sum;
        v->products[c] = product;
    }
}

/* dx = scale dy - (x - mean) slopes - shifts. */
static void plane_back_apply(const struct norm *v, const float *mean, const float *r, const float *weight,
                             const float *x, const float *dy, float *dx)
{
    for (size_t i = 0; i < v->M * v->C; i++, x += v->n, dy += v->n, dx += v->n) {
        size_t c = i % v->C;
        vector_affine(v->n, 1, -mean[c], x, v->plane);
        vector_affine(v->n, -v->slopes[c], -v->shifts[c], v->plane, v->plane);
        vector_scale(v->n, r[c] * weight[c], dy, dx);
        vector_add(v->n, dx, v->plane, dx);
    }
}

/* ---- channels side by side ---- */

TARGET_CLONES static void row_moments(const struct norm *v, const float *restrict x)
{
    size_t C = v->C, N = v->M * v->n;
    double *restrict mean = v->sums, *restrict squares = v->products;
    for (size_t c = 0; c < C; c++)
        mean[c] = squares[c] = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++)
            mean[c] += (double)x[i * C + c];
    for (size_t c = 0; c < C; c++)
        mean[c] /= (double)N;
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < C; c++) {
            double difference = (double)x[i * C + c] - mean[c];
            squares[c] += difference * difference;
        }
}

/* y may be x. */
TARGET_CLONES static void row_apply(const struct norm *v, const float *mean, const float *bias, const float *x,
                                    float *y)
{
    for (size_t i = 0; i < v->M * v->n; i++, x += v->C, y += v->C)
        for (size_t c = 0; c < v->C; c++)
            y[c] = (x[c] - mean[c]) * v->slopes[c] + bias[c];
}

TARGET_CLONES static void row_back_sums(const struct norm *v, const float *restrict mean, const float *restrict x,
                                        const float *restrict dy)
{
    double *restrict sums = v->sums, *restrict products = v->products;
    for (size_t c = 0; c < v->C; c++)
        sums[c] = products[c] = 0;
    for (size_t i = 0; i < v->M * v->n; i++, x += v->C, dy += v->C)
        for (size_t c = 0; c < v->C; c++) {
            sums[c] += (double)dy[c];
            products[c] += (double)dy[c] * (double)(x[c] - mean[c]);
        }
}

/* dx may be dy. */
TARGET_CLONES static void row_back_apply(const struct norm *v, const float *mean, const float *r, const float *weight,
                                         const float *x, const float *dy, float *dx)
{
    for (size_t i = 0; i < v->M * v->n; i++, x += v->C, dy += v->C, dx += v->C)
        for (size_t c = 0; c < v->C; c++)
            dx[c] = dy[c] * (r[c] * weight[c]) - ((x[c] - mean[c]) * v->slopes[c] + v->shifts[c]);
}

/* ---- both ---- */

/* The leaf's own into `saved`. */
static void take_statistics(const struct norm *v, float epsilon, const float *x, float *saved)
{
    float *mean = saved, *r = mean + v->C, *unbiased = r + v->C;
    double N = (double)(v->M * v->n);
    (v->planes ? plane_moments : row_moments)(v, x);
    for (size_t c = 0; c < v->C; c++) {
        mean[c] = (float)v->sums[c];
        r[c] = 1 / sqrtf((float)(v->products[c] / N) + epsilon);
        unbiased[c] = (float)(v->products[c] / (N > 1 ? N - 1 : 1));
    }
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    struct norm v = norm_of(layer, pass);
    const float *weight = layer_params(layer, pass, WEIGHT), *bias = layer_params(layer, pass, BIAS);
    const float *mean = layer_params(layer, pass, RUNNING_MEAN), *variance = layer_params(layer, pass, RUNNING_VAR);
    float epsilon = (float)((const struct batch_norm *)layer->settings)->epsilon;
    if (pass->training) {
        take_statistics(&v, epsilon, x, saved);
        mean = saved;
    }
    for (size_t c = 0; c < v.C; c++)
        v.slopes[c] = weight[c] * (pass->training ? saved[v.C + c] : 1 / sqrtf(variance[c] + epsilon));
    (v.planes ? plane_apply : row_apply)(&v, mean, bias, x, y);
}

/* All four tensors' gradients, and what the gradient of x needs. */
static void finish_sums(const struct layer *layer, const struct pass *pass, const struct norm *v, const float *saved)
{
    const float *mean = saved, *r = mean + v->C, *unbiased = r + v->C, *weight = layer_params(layer, pass, WEIGHT);
    double N = (double)(v->M * v->n);
    for (size_t c = 0; c < v->C; c++) {
        double scale = (double)r[c];
        layer_gradient(layer, pass, WEIGHT)[c] = (float)(v->products[c] * scale);
        layer_gradient(layer, pass, BIAS)[c] = (float)v->sums[c];
        layer_gradient(layer, pass, RUNNING_MEAN)[c] = mean[c] * pass->statistic_weight;
        layer_gradient(layer, pass, RUNNING_VAR)[c] = unbiased[c] * pass->statistic_weight;
        scale *= (double)weight[c] / N;
        v->shifts[c] = (float)(v->sums[c] * scale);
        v->slopes[c] = (float)(v->products[c] * scale * (double)r[c] * (double)r[c]);
    }
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y;
    struct norm v = norm_of(layer, pass);
    const float *mean = saved, *r = mean + v.C;
    (v.planes ? plane_back_sums : row_back_sums)(&v, mean, x, dy);
    finish_sums(layer, pass, &v, saved);
    if (dx)
        (v.planes ? plane_back_apply : row_back_apply)(&v, mean, r, layer_params(layer, pass, WEIGHT), x, dy, dx);
}

const struct layer_class layer_batch_norm = {
    KIND_OF("batch_norm",
            "channels to mean 0 and variance 1 over a leaf, later by running averages, then weight and bias",
            struct batch_norm, keys),
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .in_place = true,
};
