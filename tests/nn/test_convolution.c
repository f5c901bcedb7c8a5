/* Convolutions: by tiles, the bits of the definition; by other products, about the same numbers. */
#include "nn/kernels/convolution.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nn/kernels/fma.h"
#include "nn/kernels/product.h"
#include "nn/kernels/vector.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

#define SIDES CONVOLUTION_SIDES

/* Fewer, as many and more places than a vector, a panel and a block have; narrow and wide lines; sides that the kernel
 * does not reach, strides that leave something out, and kernels longer than the image. */
static const struct convolution shapes[] = {
    {.M = 1, .C = 1, .O = 1, .in = {1, 1, 1}, .kernel = {1, 1, 1}},
    {.M = 3, .C = 2, .O = 5, .in = {1, 7, 9}, .kernel = {1, 3, 3}, .before = {0, 1, 1}},
    {.M = 9, .C = 32, .O = 33, .in = {1, 14, 14}, .kernel = {1, 3, 3}, .before = {0, 1, 1}},
    {.M = 2, .C = 1, .O = 32, .in = {1, 28, 28}, .kernel = {1, 3, 3}, .before = {0, 1, 1}},
    {.M = 2, .C = 3, .O = 9, .in = {1, 23, 30}, .kernel = {1, 7, 7}, .stride = {1, 2, 2}, .before = {0, 3, 3}},
    {.M = 3, .C = 70, .O = 6, .in = {1, 5, 5}, .kernel = {1, 3, 3}, .before = {0, 0, 2}},
    {.M = 3, .C = 40, .O = 70, .in = {1, 6, 7}, .kernel = {1, 1, 1}},
    {.M = 2, .C = 5, .O = 4, .in = {1, 9, 8}, .kernel = {1, 1, 1}, .stride = {1, 2, 3}},
    {.M = 2, .C = 4, .O = 6, .in = {1, 11, 40}, .kernel = {1, 2, 5}, .stride = {1, 3, 2}, .before = {0, 1, 4}},
    {.M = 3,
     .C = 4,
     .O = 6,
     .groups = 2,
     .in = {1, 9, 10},
     .kernel = {1, 3, 2},
     .dilation = {1, 2, 3},
     .before = {0, 2, 3}},
    {.M = 3,
     .C = 6,
     .O = 12,
     .groups = 6,
     .in = {1, 8, 20},
     .kernel = {1, 3, 3},
     .stride = {1, 2, 2},
     .before = {0, 1, 1}},
    {.M = 2, .C = 2, .O = 3, .in = {1, 10, 12}, .kernel = {1, 3, 3}, .stride = {1, 4, 4}, .dilation = {1, 2, 2}},
    {.M = 2, .C = 2, .O = 3, .in = {1, 3, 4}, .kernel = {1, 5, 5}, .before = {0, 3, 2}},
    {.M = 127, .C = 3, .O = 4, .in = {1, 3, 3}, .kernel = {1, 3, 3}},
    {.M = 2, .C = 2, .O = 3, .in = {4, 6, 5}, .kernel = {3, 2, 3}, .stride = {1, 1, 2}, .before = {1, 1, 1}},
    {.M = 2,
     .C = 2,
     .O = 4,
     .groups = 2,
     .in = {7, 20, 21},
     .kernel = {2, 3, 3},
     .stride = {2, 1, 1},
     .dilation = {2, 1, 1},
     .before = {2, 1, 0}},
    {.M = 1, .C = 1, .O = 2, .in = {3, 31, 33}, .kernel = {3, 3, 3}, .before = {1, 1, 1}},
    {.M = 3,
     .C = 5,
     .O = 20,
     .in = {1, 1, 19},
     .kernel = {1, 1, 4},
     .stride = {1, 1, 2},
     .before = {0, 0, 2},
     .channels_last = true},
    {.M = 2,
     .C = 24,
     .O = 18,
     .groups = 3,
     .in = {1, 1, 600},
     .kernel = {1, 1, 3},
     .dilation = {1, 1, 2},
     .before = {0, 0, 2},
     .channels_last = true},
    {.M = 1, .C = 1, .O = 3, .in = {1, 1, 1300}, .kernel = {1, 1, 9}, .before = {0, 0, 4}},
    {.M = 2, .C = 40, .O = 3, .in = {1, 30, 90}, .kernel = {1, 5, 5}, .before = {0, 2, 2}},
};

/* What a shape leaves out, and as many places as fit between as many zeros behind as in front. */
static struct convolution whole(struct convolution v)
{
    v.groups = v.groups > 0 ? v.groups : 1;
    v.K = v.C / v.groups;
    for (size_t d = 0; d < SIDES; d++) {
        v.stride[d] = v.stride[d] > 0 ? v.stride[d] : 1;
        v.dilation[d] = v.dilation[d] > 0 ? v.dilation[d] : 1;
        v.out[d] = (v.in[d] + 2 * v.before[d] - (v.kernel[d] - 1) * v.dilation[d] - 1) / v.stride[d] + 1;
        v.K *= v.kernel[d];
    }
    return v;
}

static size_t volume(const size_t side[SIDES])
{
    return side[0] * side[1] * side[2];
}

static void split(size_t place, const size_t side[SIDES], size_t at[SIDES])
{
    for (size_t d = SIDES; d-- > 0; place /= side[d])
        at[d] = place % side[d];
}

/* Element of an image: its value, or zero if it lies beside it. */
struct field {
    float *values;
    size_t channels;
    const size_t *side;
    bool channels_last;
};

static float *element(const struct field *f, size_t m, size_t c, size_t place)
{
    size_t P = volume(f->side);
    return &f->values[f->channels_last ? (m * P + place) * f->channels + c : (m * f->channels + c) * P + place];
}

/* Whether weight t sees a value of x at place y, or has such a place for that value; where: SIZE_MAX beside. */
static size_t seen(const struct convolution *v, size_t y, size_t t)
{
    size_t at[SIDES], tap[SIDES], place = 0;
    split(y, v->out, at);
    split(t, v->kernel, tap);
    for (size_t d = 0; d < SIDES; d++) {
        size_t padded = at[d] * v->stride[d] + tap[d] * v->dilation[d];
        if (padded < v->before[d] || padded - v->before[d] >= v->in[d])
            return SIZE_MAX;
        place = place * v->in[d] + padded - v->before[d];
    }
    return place;
}

/* Whether weight t can stand so that it sees this value; *y where, SIZE_MAX beside the output. */
static bool stands(const struct convolution *v, size_t x, size_t t, size_t *y)
{
    size_t at[SIDES], tap[SIDES];
    bool beside = false;
    split(x, v->in, at);
    split(t, v->kernel, tap);
    *y = 0;
    for (size_t d = 0; d < SIDES; d++) {
        ptrdiff_t first = (ptrdiff_t)(at[d] + v->before[d]) - (ptrdiff_t)(tap[d] * v->dilation[d]);
        ptrdiff_t stride = (ptrdiff_t)v->stride[d];
        if (first % stride != 0)
            return false;
        beside = beside || first < 0 || first / stride >= (ptrdiff_t)v->out[d];
        *y = *y * v->out[d] + (size_t)(first / stride);
    }
    *y = beside ? SIZE_MAX : *y;
    return true;
}

/* A product of k elements as product.h defines it, added to `c` if that is there. */
enum { CHAIN = 4096 };
struct chain {
    float a[CHAIN], b[CHAIN];
    size_t k;
};

static void add(struct chain *chain, float a, float b)
{
    CHECK(chain->k < CHAIN, "the shapes are small");
    chain->a[chain->k] = a;
    chain->b[chain->k++] = b;
}

static float sum(const struct chain *chain, const float *c)
{
    size_t parts = (chain->k + PRODUCT_PART - 1) / PRODUCT_PART, p = 0;
    float total = c ? *c : 0;
    for (size_t part = 0; part < parts; part++) {
        float s = 0;
        for (size_t end = p + (chain->k - p + parts - part - 1) / (parts - part); p < end; p++)
            s = fma_exact(chain->a[p], chain->b[p], s);
        total = part == 0 && !c ? s : total + s;
    }
    return total;
}

struct trial {
    struct convolution v;
    struct field x, y, dx; /* y is dy, too */
    float *weight, *bias, *dweight, *dbias, *scratch;
    struct chain *chain;
    const struct compute *compute;
};

static float *numbers(uint64_t key, size_t n)
{
    float *x = memory_need(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = 2 * rng_uniform(key, i) - 1;
    return x;
}

static void begin(struct trial *t, const struct convolution *shape, const struct compute *compute)
{
    *t = (struct trial){.v = whole(*shape), .compute = compute};
    const struct convolution *v = &t->v;
    size_t inputs = v->M * v->C * volume(v->in), outputs = v->M * v->O * volume(v->out);
    t->x = (struct field){numbers(1, inputs), v->C, v->in, v->channels_last};
    t->dx = (struct field){numbers(2, inputs), v->C, v->in, v->channels_last};
    t->y = (struct field){numbers(3, outputs), v->O, v->out, v->channels_last};
    t->weight = numbers(4, v->O * v->K);
    t->bias = numbers(5, v->O);
    t->dweight = numbers(6, v->O * v->K);
    t->dbias = numbers(7, v->O);
    size_t floats = compute->convolution_scratch(compute, v);
    t->scratch = memory_need(floats, sizeof(float));
    memset(t->scratch, 0xff, floats * sizeof(float)); /* NaN */
    t->chain = memory_need(1, sizeof *t->chain);
}

static void end(struct trial *t)
{
    float *all[] = {t->x.values, t->dx.values, t->y.values, t->weight, t->bias, t->dweight, t->dbias, t->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        memory_free(all[i]);
    memory_free(t->chain);
}

static bool agree(const struct trial *t, float made, float right)
{
    return t->compute->by_tiles ? made == right : fabsf(made - right) < 1e-4f * (1 + fabsf(right));
}

static struct matrix weight_of(const struct trial *t)
{
    return matrix_of(t->weight, t->v.K, false);
}

static size_t wrong_outputs(struct trial *t, const float *bias)
{
    const struct convolution *v = &t->v;
    size_t wrong = 0, taps = volume(v->kernel), P = volume(v->out);
    t->compute->convolution_forward(t->compute, v, v->M, t->x.values, weight_of(t), bias, t->scratch, t->y.values);
    for (size_t i = 0; i < v->M * v->O * P; i++) {
        size_t m = i / P / v->O, o = i / P % v->O, first = o / (v->O / v->groups) * (v->C / v->groups);
        t->chain->k = 0;
        for (size_t k = 0; k < v->K; k++) {
            size_t place = seen(v, i % P, k % taps);
            add(t->chain, t->weight[o * v->K + k], place == SIZE_MAX ? 0 : *element(&t->x, m, first + k / taps, place));
        }
        wrong += !agree(t, *element(&t->y, m, o, i % P), sum(t->chain, bias ? &bias[o] : NULL));
    }
    return wrong;
}

static size_t wrong_dx(struct trial *t)
{
    const struct convolution *v = &t->v;
    size_t wrong = 0, taps = volume(v->kernel), P = volume(v->in), filters = v->O / v->groups,
           channels = v->C / v->groups;
    t->compute->convolution_dx(t->compute, v, v->M, t->y.values, weight_of(t), t->scratch, t->dx.values);
    for (size_t i = 0; i < v->M * v->C * P; i++) {
        size_t m = i / P / v->C, c = i / P % v->C, y;
        t->chain->k = 0;
        for (size_t o = c / channels * filters, last = o + filters; o < last; o++)
            for (size_t k = 0; k < taps; k++)
                if (stands(v, i % P, k, &y))
                    add(t->chain, t->weight[o * v->K + c % channels * taps + k],
                        y == SIZE_MAX ? 0 : *element(&t->y, m, o, y));
        wrong += !agree(t, *element(&t->dx, m, c, i % P), sum(t->chain, NULL));
    }
    return wrong;
}

/* The blocks of dweight: of places in order, those of one sample behind those of another. */
static size_t block_end(const struct convolution *v, size_t begin)
{
    size_t whole = v->M, inner = volume(v->out), unit, d = 0;
    for (;; whole = v->out[d], inner /= v->out[d], d++) {
        unit = inner > 512 ? 0 : 512 / inner;
        unit = d == 0 && unit > 64 ? 64 : unit;
        if (unit > 0)
            break;
    }
    size_t pieces = (whole + unit - 1) / unit, at = begin / inner % whole, piece = 0, first = 0;
    for (; first + whole / pieces + (piece < whole % pieces) <= at; piece++)
        first += whole / pieces + (piece < whole % pieces);
    return begin + (whole / pieces + (piece < whole % pieces)) * inner;
}

static size_t wrong_dweight(struct trial *t)
{
    const struct convolution *v = &t->v;
    size_t wrong = 0, taps = volume(v->kernel), P = volume(v->out);
    t->compute->convolution_dweight(t->compute, v, v->M, t->x.values, t->y.values, t->scratch, t->dweight, t->dbias);
    for (size_t i = 0; i < v->O * v->K; i++) {
        size_t o = i / v->K, c = o / (v->O / v->groups) * (v->C / v->groups) + i % v->K / taps;
        float total = 0;
        for (size_t first = 0, last; first < v->M * P; first = last) {
            last = block_end(v, first);
            t->chain->k = 0;
            for (size_t y = first; y < last; y++) {
                size_t place = seen(v, y % P, i % taps);
                add(t->chain, place == SIZE_MAX ? 0 : *element(&t->x, y / P, c, place),
                    *element(&t->y, y / P, o, y % P));
            }
            total = sum(t->chain, first > 0 ? &total : NULL);
        }
        wrong += !agree(t, t->dweight[i], total);
    }
    return wrong;
}

static size_t wrong_dbias(const struct trial *t)
{
    const struct convolution *v = &t->v;
    size_t wrong = 0, P = volume(v->out);
    for (size_t o = 0; o < v->O; o++) {
        float total = 0;
        for (size_t first = 0, last; first < v->M * P; first = last)
            for (last = block_end(v, first); first < last;)
                if (v->channels_last) {
                    total += *element(&t->y, first / P, o, first % P);
                    first++;
                } else {
                    size_t n = last - first < P ? last - first : P;
                    total += vector_sum(n, element(&t->y, first / P, o, first % P));
                    first += n;
                }
        wrong += !agree(t, t->dbias[o], total);
    }
    return wrong;
}

static void try_all(const struct compute *compute)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct trial t;
        begin(&t, &shapes[i], compute);
        size_t wrong[] = {wrong_outputs(&t, NULL), wrong_outputs(&t, t.bias), wrong_dweight(&t), wrong_dbias(&t),
                          wrong_dx(&t)};
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
            if (wrong[k] > 0)
                printf("\nshape %zu, %zu: %zu wrong", i, k, wrong[k]);
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
            CU_ASSERT_EQUAL(wrong[k], 0);
        end(&t);
    }
}

static void every_bit_is_that_of_the_definition(void)
{
    try_all(&compute_lockstep);
}

static void other_products_give_the_same_numbers(void)
{
    try_all(&compute_openblas);
}

/* As many samples as a leaf has, whatever the room was made for: the same bits as if each had come alone. */
static void samples_do_not_depend_on_their_neighbours(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct trial t;
        begin(&t, &shapes[i], &compute_lockstep);
        const struct convolution *v = &t.v;
        size_t inputs = v->C * volume(v->in), outputs = v->O * volume(v->out);
        float *y = memory_need(v->M * outputs, sizeof *y);
        convolution_forward(t.compute, v, v->M, t.x.values, weight_of(&t), t.bias, t.scratch, t.y.values);
        for (size_t m = 0; m < v->M; m++)
            convolution_forward(t.compute, v, 1, t.x.values + m * inputs, weight_of(&t), t.bias, t.scratch,
                                y + m * outputs);
        CU_ASSERT_EQUAL(memcmp(y, t.y.values, v->M * outputs * sizeof *y), 0);
        memory_free(y);
        end(&t);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every bit is that of the definition", every_bit_is_that_of_the_definition},
        {"other products give the same numbers", other_products_give_the_same_numbers},
        {"samples do not depend on their neighbours", samples_do_not_depend_on_their_neighbours},
        {NULL, NULL},
    };
    return test_run("nn/convolution", cases);
}
