#include "nn/reference_layers.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/embedding.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/pool.h"
#include "nn/layers/row_norm.h"
#include "nn/layers/upsample.h"
#include "support/test.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct shape features(size_t count)
{
    return (struct shape){.dims = 1, .size = {count}};
}

static struct shape sequence(size_t positions, size_t channels)
{
    return (struct shape){.dims = 2, .size = {positions, channels}};
}

static struct shape image(size_t channels, size_t height, size_t width)
{
    return (struct shape){.dims = 3, .size = {channels, height, width}};
}

const char *walk_named(char name[NAME_BYTES], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(name, NAME_BYTES, format, arguments) >= NAME_BYTES)
        CU_FAIL_FATAL("a name is longer than any name may be");
    va_end(arguments);
    return name;
}

/* Where the tensor "<layer>.<what>" of `count` elements lies in an arena. */
static size_t place_of(const struct walk *w, const char *layer, const char *what, size_t count)
{
    const struct tensor_table *table = &w->reference->model->table;
    char name[NAME_BYTES];
    walk_named(name, "%s.%s", layer, what);
    for (size_t t = 0; t < table->length; t++)
        if (strcmp(table->tensors[t].name, name) == 0 && table->tensors[t].count == count)
            return table->tensors[t].offset;
    printf("\n    the model has no tensor %s of %zu elements", name, count);
    CU_FAIL_FATAL("a tensor is missing");
    return 0;
}

static const double *tensor(const struct walk *w, const char *layer, const char *what, size_t count)
{
    return w->reference->params + place_of(w, layer, what, count);
}

double *walk_begin(struct walk *w, struct shape shape)
{
    double *x = w->x;
    w->shape = shape;
    w->x = memory_need(w->rows * shape_count(&shape), sizeof *w->x);
    return x;
}

/* ---- layers with products ---- */

void reference_dense(struct walk *w, const char *name, size_t O, bool has_bias)
{
    bool is_sequence = w->shape.dims == 2;
    size_t I = is_sequence ? w->shape.size[1] : shape_count(&w->shape);
    size_t rows = is_sequence ? w->rows * w->shape.size[0] : w->rows;
    const double *weight = tensor(w, name, "weight", O * I);
    const double *bias = has_bias ? tensor(w, name, "bias", O) : NULL;
    double *x = walk_begin(w, is_sequence ? sequence(w->shape.size[0], O) : features(O));
    for (size_t row = 0; row < rows; row++)
        for (size_t o = 0; o < O; o++) {
            double sum = bias ? bias[o] : 0;
            for (size_t i = 0; i < I; i++)
                sum += weight[o * I + i] * x[row * I + i];
            w->x[row * O + o] = sum;
        }
    memory_free(x);
}

static void dense(struct walk *w, const void *settings, const char *name)
{
    const struct dense *dense = settings;
    reference_dense(w, name, dense->units, dense->bias);
}

/* One side of an image under a square that moves over it. */
struct side {
    size_t in, out, front; /* front: zeros before the first element */
};

static struct side side_of(const struct conv2d *conv2d, size_t in)
{
    size_t k = conv2d->kernel, s = conv2d->stride;
    if (conv2d->padding != PADDING_SAME)
        return (struct side){in, (in + 2 * conv2d->padding - k) / s + 1, conv2d->padding};
    size_t out = (in + s - 1) / s, needed = (out - 1) * s + k;
    return (struct side){in, out, needed > in ? (needed - in) / 2 : 0};
}

/* One output: the sum over a C x k x k window of x [C, H, W] whose corner lies at (y, x0) of the padded image. */
static double window(const double *x, const double *weight, size_t C, size_t k, struct side h, struct side v, size_t y,
                     size_t x0)
{
    double sum = 0;
    for (size_t c = 0; c < C; c++)
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++) {
                size_t row = y + i - v.front, column = x0 + j - h.front; /* huge if in front of the image */
                if (row < v.in && column < h.in)
                    sum += weight[(c * k + i) * k + j] * x[(c * v.in + row) * h.in + column];
            }
    return sum;
}

static void conv2d(struct walk *w, const void *settings, const char *name)
{
    const struct conv2d *own = settings;
    size_t C = w->shape.size[0], F = own->filters, k = own->kernel, s = own->stride;
    struct side v = side_of(own, w->shape.size[1]), h = side_of(own, w->shape.size[2]);
    const double *weight = tensor(w, name, "weight", F * C * k * k);
    const double *bias = own->bias ? tensor(w, name, "bias", F) : NULL;
    double *x = walk_begin(w, image(F, v.out, h.out)), *y = w->x;
    for (size_t m = 0; m < w->rows; m++)
        for (size_t f = 0; f < F; f++)
            for (size_t i = 0; i < v.out; i++)
                for (size_t j = 0; j < h.out; j++)
                    *y++ = (bias ? bias[f] : 0) +
                           window(x + m * C * v.in * h.in, weight + f * C * k * k, C, k, h, v, i * s, j * s);
    memory_free(x);
}

static void conv1d(struct walk *w, const void *settings, const char *name)
{
    const struct conv1d *own = settings;
    struct conv2d sides = {.kernel = own->kernel, .stride = own->stride, .padding = own->padding};
    size_t C = w->shape.dims == 1 ? 1 : w->shape.size[w->shape.dims - 1], F = own->filters, k = own->kernel;
    struct side side = side_of(&sides, shape_count(&w->shape) / C);
    const double *weight = tensor(w, name, "weight", F * C * k);
    const double *bias = own->bias ? tensor(w, name, "bias", F) : NULL;
    double *x = walk_begin(w, sequence(side.out, F)), *y = w->x;
    for (size_t m = 0; m < w->rows; m++)
        for (size_t u = 0; u < side.out; u++)
            for (size_t f = 0; f < F; f++, y++) {
                *y = bias ? bias[f] : 0;
                for (size_t c = 0; c < C; c++)
                    for (size_t j = 0; j < k; j++) {
                        size_t at = u * own->stride + j;
                        if (at >= side.front && at - side.front < side.in)
                            *y += weight[(f * C + c) * k + j] * x[(m * side.in + at - side.front) * C + c];
                    }
            }
    memory_free(x);
}

static void embedding(struct walk *w, const void *settings, const char *name)
{
    size_t T = w->shape.size[0], C = ((const struct embedding *)settings)->width;
    const double *weight = tensor(w, name, "weight", w->reference->model->form.vocabulary * C);
    memory_free(walk_begin(w, sequence(T, C)));
    for (size_t n = 0; n < w->rows * T; n++)
        for (size_t c = 0; c < C; c++)
            w->x[n * C + c] = weight[(size_t)w->reference->model->leaf.tokens[n] * C + c];
}

static void position_embedding(struct walk *w, const void *settings, const char *name)
{
    size_t O = shape_count(&w->shape);
    const double *weight = tensor(w, name, "weight", O);
    (void)settings;
    for (size_t e = 0; e < w->rows * O; e++)
        w->x[e] += weight[e % O];
}

static void lm_head(struct walk *w, const void *settings, const char *name)
{
    const struct lm_head *own = settings;
    size_t T = w->shape.size[0], C = w->shape.size[1], V = w->reference->model->form.vocabulary;
    const double *weight = tensor(w, own->tied ? "0.embedding" : name, "weight", V * C);
    const double *bias = own->bias ? tensor(w, name, "bias", V) : NULL;
    double *x = walk_begin(w, sequence(T, V));
    for (size_t n = 0; n < w->rows * T; n++)
        for (size_t v = 0; v < V; v++) {
            double sum = bias ? bias[v] : 0;
            for (size_t c = 0; c < C; c++)
                sum += weight[v * C + c] * x[n * C + c];
            w->x[n * V + v] = sum;
        }
    memory_free(x);
}

/* ---- pools ---- */

static double largest_of(size_t k, size_t W, const double *x)
{
    double largest = x[0];
    for (size_t i = 0; i < k * k; i++)
        largest = fmax(largest, x[i / k * W + i % k]);
    return largest;
}

static double mean_of(size_t k, size_t W, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < k * k; i++)
        sum += x[i / k * W + i % k];
    return sum / (double)(k * k);
}

static void pool(struct walk *w, const struct pool *own, double (*f)(size_t k, size_t W, const double *x))
{
    size_t C = w->shape.size[0], H = w->shape.size[1], W = w->shape.size[2];
    size_t k = own->size, s = own->stride > 0 ? own->stride : k;
    struct shape out = image(C, (H - k) / s + 1, (W - k) / s + 1);
    double *x = walk_begin(w, out), *y = w->x;
    for (size_t plane = 0; plane < w->rows * C; plane++)
        for (size_t i = 0; i < out.size[1]; i++)
            for (size_t j = 0; j < out.size[2]; j++)
                *y++ = f(k, W, x + (plane * H + i * s) * W + j * s);
    memory_free(x);
}

static void max_pool(struct walk *w, const void *settings, const char *name)
{
    (void)name;
    pool(w, settings, largest_of);
}

static void avg_pool(struct walk *w, const void *settings, const char *name)
{
    (void)name;
    pool(w, settings, mean_of);
}

/* Which channel element `e` of a sample belongs to: an image has the channels in front, all others behind. */
static size_t channel_of(const struct shape *shape, size_t e)
{
    return shape->dims == 3 ? e / (shape->size[1] * shape->size[2]) : e % shape->size[shape->dims - 1];
}

static size_t channels(const struct shape *shape)
{
    return shape->dims == 3 ? shape->size[0] : shape->size[shape->dims - 1];
}

static void global_avg_pool(struct walk *w, const void *settings, const char *name)
{
    struct shape in = w->shape;
    size_t I = shape_count(&in), C = channels(&in);
    double *x = walk_begin(w, features(C));
    (void)settings, (void)name;
    for (size_t m = 0; m < w->rows; m++)
        for (size_t e = 0; e < I; e++)
            w->x[m * C + channel_of(&in, e)] += x[m * I + e] / (double)(I / C);
    memory_free(x);
}

/* The share of input i of n in output o, along one side. */
static double share_of(const struct upsample *own, size_t i, size_t n, size_t o)
{
    double f = (double)own->factor;
    if (own->mode == UPSAMPLE_NEAREST)
        return i == (size_t)floor((double)o / f);
    double at = fmin(fmax(((double)o + 0.5) / f - 0.5, 0), (double)(n - 1)); /* what is outside: the edge */
    return fmax(0, 1 - fabs(at - (double)i));
}

/* Every output from all inputs. */
static void upsample(struct walk *w, const void *settings, const char *name)
{
    const struct upsample *own = settings;
    struct shape in = w->shape, out = in;
    size_t I = shape_count(&in), channel = in.dims == 2 ? 1 : 0; /* its place in the shape */
    (void)name;
    for (size_t d = 0; d < in.dims; d++)
        out.size[d] *= d == channel ? 1 : own->factor;
    size_t O = shape_count(&out);
    double *x = walk_begin(w, out);
    for (size_t o = 0; o < O; o++)
        for (size_t i = 0; i < I; i++) {
            double share = 1;
            for (size_t d = in.dims, from = i, to = o; d-- > 0; from /= in.size[d], to /= out.size[d])
                share *= d == channel ? from % in.size[d] == to % out.size[d]
                                      : share_of(own, from % in.size[d], in.size[d], to % out.size[d]);
            for (size_t m = 0; m < w->rows; m++)
                w->x[m * O + o] += share * x[m * I + i];
        }
    memory_free(x);
}

static void flatten(struct walk *w, const void *settings, const char *name)
{
    (void)settings, (void)name;
    w->shape = features(shape_count(&w->shape));
}

/* ---- one element at a time ---- */

static void each(struct walk *w, double (*f)(double x))
{
    for (size_t e = 0; e < w->rows * shape_count(&w->shape); e++)
        w->x[e] = f(w->x[e]);
}

static double relu_of(double x)
{
    return x > 0 ? x : 0;
}

static double sigmoid_of(double x)
{
    return 1 / (1 + exp(-x));
}

static double silu_of(double x)
{
    return x / (1 + exp(-x));
}

static double gelu_of(double x)
{
    return x * (1 + erf(x * M_SQRT1_2)) / 2;
}

static double gelu_tanh_of(double x)
{
    return x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
}

#define ELEMENTWISE(layer, f)                                                                                          \
    static void layer(struct walk *w, const void *settings, const char *name)                                          \
    {                                                                                                                  \
        (void)settings, (void)name;                                                                                    \
        each(w, f);                                                                                                    \
    }
ELEMENTWISE(relu, relu_of)
ELEMENTWISE(tanh_layer, tanh)
ELEMENTWISE(sigmoid, sigmoid_of)
ELEMENTWISE(silu, silu_of)

static void gelu(struct walk *w, const void *settings, const char *name)
{
    (void)name;
    each(w, ((const struct gelu *)settings)->form == GELU_TANH ? gelu_tanh_of : gelu_of);
}

/* Whether element `e` of the whole batch is kept: 16 bits, eight pieces to a counter, the low half of a word first. */
static bool is_kept(uint64_t key, uint64_t e, double rate)
{
    uint32_t words[4];
    rng_words(key, e / 8, 0, words);
    uint32_t piece = words[e % 8 / 2] >> (e % 2 * 16) & 0xffff;
    return piece >= round(rate * 65536);
}

void reference_dropout(struct walk *w, const char *name, double rate)
{
    const struct reference *r = w->reference;
    if (!r->training || rate == 0)
        return;
    uint64_t step_key = digest_chain(rng_key(r->model->seed, "dropout"), r->step);
    uint64_t key = digest_chain(step_key, digest_bytes(name, strlen(name)));
    size_t O = shape_count(&w->shape);
    for (size_t e = 0; e < w->rows * O; e++)
        w->x[e] = is_kept(key, r->model->leaf.first * O + e, rate) ? w->x[e] / (1 - round(rate * 65536) / 65536) : 0;
}

static void dropout(struct walk *w, const void *settings, const char *name)
{
    reference_dropout(w, name, ((const struct dropout *)settings)->rate);
}

/* ---- norms ---- */

/* x [count] becomes (x - mean) / sqrt(variance + epsilon), or without the mean x / sqrt(mean of squares + epsilon). */
static void standardise(double *x, size_t count, double epsilon, bool about_mean)
{
    double mean = 0, square = 0;
    for (size_t i = 0; about_mean && i < count; i++)
        mean += x[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        square += (x[i] - mean) * (x[i] - mean) / (double)count;
    for (size_t i = 0; i < count; i++)
        x[i] = (x[i] - mean) / sqrt(square + epsilon);
}

void reference_norm(struct walk *w, const char *name, double epsilon, bool has_mean)
{
    size_t O = shape_count(&w->shape), width = w->shape.dims == 2 ? w->shape.size[1] : O;
    const double *weight = tensor(w, name, "weight", width);
    const double *bias = has_mean ? tensor(w, name, "bias", width) : NULL;
    for (size_t row = 0; row < w->rows * (O / width); row++)
        standardise(w->x + row * width, width, epsilon, has_mean);
    for (size_t e = 0; e < w->rows * O; e++)
        w->x[e] = w->x[e] * weight[e % width] + (bias ? bias[e % width] : 0);
}

static void layer_norm(struct walk *w, const void *settings, const char *name)
{
    reference_norm(w, name, ((const struct row_norm *)settings)->epsilon, true);
}

static void rms_norm(struct walk *w, const void *settings, const char *name)
{
    reference_norm(w, name, ((const struct row_norm *)settings)->epsilon, false);
}

/* Of every channel its weight and bias. */
static void scale_channels(struct walk *w, const char *name)
{
    size_t O = shape_count(&w->shape), C = channels(&w->shape);
    const double *weight = tensor(w, name, "weight", C), *bias = tensor(w, name, "bias", C);
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t c = channel_of(&w->shape, e % O);
        w->x[e] = w->x[e] * weight[c] + bias[c];
    }
}

static void group_norm(struct walk *w, const void *settings, const char *name)
{
    const struct group_norm *own = settings;
    size_t width = shape_count(&w->shape) / own->groups; /* a group's channels lie side by side */
    for (size_t group = 0; group < w->rows * own->groups; group++)
        standardise(w->x + group * width, width, own->epsilon, true);
    scale_channels(w, name);
}

/* Mean and variance of each channel over the whole leaf. */
static void channel_moments(const struct walk *w, double *mean, double *variance)
{
    size_t O = shape_count(&w->shape), C = channels(&w->shape);
    double count = (double)(w->rows * (O / C));
    for (size_t e = 0; e < w->rows * O; e++)
        mean[channel_of(&w->shape, e % O)] += w->x[e] / count;
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t c = channel_of(&w->shape, e % O);
        variance[c] += (w->x[e] - mean[c]) * (w->x[e] - mean[c]) / count;
    }
}

static void batch_norm(struct walk *w, const void *settings, const char *name)
{
    const struct reference *r = w->reference;
    size_t O = shape_count(&w->shape), C = channels(&w->shape), n = w->rows * (O / C);
    size_t mean_place = place_of(w, name, "running_mean", C), variance_place = place_of(w, name, "running_var", C);
    double *mean = memory_need(C, sizeof *mean), *variance = memory_need(C, sizeof *variance);
    if (r->training)
        channel_moments(w, mean, variance);
    else {
        memcpy(mean, r->params + mean_place, C * sizeof *mean);
        memcpy(variance, r->params + variance_place, C * sizeof *variance);
    }
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t c = channel_of(&w->shape, e % O);
        w->x[e] = (w->x[e] - mean[c]) / sqrt(variance[c] + ((const struct batch_norm *)settings)->epsilon);
    }
    for (size_t c = 0; r->statistics && c < C; c++) {
        r->statistics[mean_place + c] = mean[c];
        r->statistics[variance_place + c] = n > 1 ? variance[c] * (double)n / (double)(n - 1) : variance[c];
    }
    memory_free(mean);
    memory_free(variance);
    scale_channels(w, name);
}

/* ---- all of them ---- */

static const struct {
    const struct layer_class *class;
    void (*run)(struct walk *w, const void *settings, const char *name);
} operations[] = {
    {&layer_dense, dense},
    {&layer_conv1d, conv1d},
    {&layer_conv2d, conv2d},
    {&layer_max_pool, max_pool},
    {&layer_avg_pool, avg_pool},
    {&layer_global_avg_pool, global_avg_pool},
    {&layer_upsample, upsample},
    {&layer_flatten, flatten},
    {&layer_relu, relu},
    {&layer_gelu, gelu},
    {&layer_tanh, tanh_layer},
    {&layer_sigmoid, sigmoid},
    {&layer_silu, silu},
    {&layer_dropout, dropout},
    {&layer_layer_norm, layer_norm},
    {&layer_rms_norm, rms_norm},
    {&layer_group_norm, group_norm},
    {&layer_batch_norm, batch_norm},
    {&layer_embedding, embedding},
    {&layer_position_embedding, position_embedding},
    {&layer_lm_head, lm_head},
};

void reference_operation(struct walk *w, const struct layer_class *class, const void *settings, const char *name)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (operations[i].class == class) {
            operations[i].run(w, settings, name);
            return;
        }
    CU_FAIL_FATAL("the second implementation does not know this layer");
}
