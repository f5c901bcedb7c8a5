#include "nn/reference_layers.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/embedding.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/row_norm.h"
#include "nn/reference_fields.h"
#include "support/test.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct shape walk_features(size_t count)
{
    return (struct shape){.dims = 1, .size = {count}};
}

struct shape walk_sequence(size_t positions, size_t channels)
{
    return (struct shape){.dims = 2, .size = {positions, channels}};
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

const double *walk_tensor(const struct walk *w, const char *layer, const char *what, size_t count)
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

size_t walk_channel_of(const struct shape *shape, size_t e)
{
    return shape->dims > 2 ? e / (shape_count(shape) / shape->size[0]) : e % shape->size[shape->dims - 1];
}

size_t walk_channels(const struct shape *shape)
{
    return shape->dims > 2 ? shape->size[0] : shape->size[shape->dims - 1];
}

/* ---- layers with products ---- */

void reference_dense(struct walk *w, const char *name, size_t O, bool has_bias)
{
    bool is_sequence = w->shape.dims == 2;
    size_t I = is_sequence ? w->shape.size[1] : shape_count(&w->shape);
    size_t rows = is_sequence ? w->rows * w->shape.size[0] : w->rows;
    const double *weight = walk_tensor(w, name, "weight", O * I);
    const double *bias = has_bias ? walk_tensor(w, name, "bias", O) : NULL;
    double *x = walk_begin(w, is_sequence ? walk_sequence(w->shape.size[0], O) : walk_features(O));
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

static void embedding(struct walk *w, const void *settings, const char *name)
{
    size_t T = w->shape.size[0], C = ((const struct embedding *)settings)->width;
    const double *weight = walk_tensor(w, name, "weight", w->reference->model->form.vocabulary * C);
    memory_free(walk_begin(w, walk_sequence(T, C)));
    for (size_t n = 0; n < w->rows * T; n++)
        for (size_t c = 0; c < C; c++)
            w->x[n * C + c] = weight[(size_t)w->reference->model->leaf.tokens[n] * C + c];
}

static void position_embedding(struct walk *w, const void *settings, const char *name)
{
    size_t O = shape_count(&w->shape);
    const double *weight = walk_tensor(w, name, "weight", O);
    (void)settings;
    for (size_t e = 0; e < w->rows * O; e++)
        w->x[e] += weight[e % O];
}

static void lm_head(struct walk *w, const void *settings, const char *name)
{
    const struct lm_head *own = settings;
    size_t T = w->shape.size[0], C = w->shape.size[1], V = w->reference->model->form.vocabulary;
    const double *weight = walk_tensor(w, own->tied ? "0.embedding" : name, "weight", V * C);
    const double *bias = own->bias ? walk_tensor(w, name, "bias", V) : NULL;
    double *x = walk_begin(w, walk_sequence(T, V));
    for (size_t n = 0; n < w->rows * T; n++)
        for (size_t v = 0; v < V; v++) {
            double sum = bias ? bias[v] : 0;
            for (size_t c = 0; c < C; c++)
                sum += weight[v * C + c] * x[n * C + c];
            w->x[n * V + v] = sum;
        }
    memory_free(x);
}

static void flatten(struct walk *w, const void *settings, const char *name)
{
    (void)settings, (void)name;
    w->shape = walk_features(shape_count(&w->shape));
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
    const double *weight = walk_tensor(w, name, "weight", width);
    const double *bias = has_mean ? walk_tensor(w, name, "bias", width) : NULL;
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
    size_t O = shape_count(&w->shape), C = walk_channels(&w->shape);
    const double *weight = walk_tensor(w, name, "weight", C), *bias = walk_tensor(w, name, "bias", C);
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t c = walk_channel_of(&w->shape, e % O);
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
    size_t O = shape_count(&w->shape), C = walk_channels(&w->shape);
    double count = (double)(w->rows * (O / C));
    for (size_t e = 0; e < w->rows * O; e++)
        mean[walk_channel_of(&w->shape, e % O)] += w->x[e] / count;
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t c = walk_channel_of(&w->shape, e % O);
        variance[c] += (w->x[e] - mean[c]) * (w->x[e] - mean[c]) / count;
    }
}

static void batch_norm(struct walk *w, const void *settings, const char *name)
{
    const struct reference *r = w->reference;
    size_t O = shape_count(&w->shape), C = walk_channels(&w->shape), n = w->rows * (O / C);
    size_t mean_place = place_of(w, name, "running_mean", C), variance_place = place_of(w, name, "running_var", C);
    double *mean = memory_need(C, sizeof *mean), *variance = memory_need(C, sizeof *variance);
    if (r->training)
        channel_moments(w, mean, variance);
    else {
        memcpy(mean, r->params + mean_place, C * sizeof *mean);
        memcpy(variance, r->params + variance_place, C * sizeof *variance);
    }
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t c = walk_channel_of(&w->shape, e % O);
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
    {&layer_conv1d, reference_conv1d},
    {&layer_conv2d, reference_conv2d},
    {&layer_conv3d, reference_conv3d},
    {&layer_max_pool, reference_max_pool},
    {&layer_avg_pool, reference_avg_pool},
    {&layer_global_avg_pool, reference_global_avg_pool},
    {&layer_upsample, reference_upsample},
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
