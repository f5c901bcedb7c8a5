/* What a model multiplies with: all of it, and through nothing else. That OpenBLAS multiplies right: test_gemm.c. */
#include "base/memory.h"
#include "nn/kernels/convolution.h"
#include "nn/model.h"
#include "nn/trial.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define CROSS_ENTROPY                                                                                                  \
    {                                                                                                                  \
        .class = &loss_softmax_cross_entropy                                                                           \
    }

/* One of each layer that multiplies: whole or in tiles, with weights of its own or another layer's. */
static const struct trial passes[] = {
    {.spec = MODEL(DENSE(17), PLAIN(relu), DENSE(3)), .form = FEATURES(11, 3), .rows = 5, .room = 8},
    {.spec = MODEL(CONV2D(3, 3, 1, PADDING_SAME), PLAIN(relu), CONV2D(4, 1, 1, 0), DENSE(3)),
     .form = IMAGE(2, 6, 6, 3),
     .rows = 3,
     .room = 5},
    {.spec = MODEL(CONV2D_ALONE(3, 1), PLAIN(tanh), CONV2D(3, 3, 2, 1), PLAIN(global_avg_pool)),
     .form = IMAGE(2, 12, 11, 3),
     .rows = 3},
    {.spec = MODEL(EMBEDDING(24), POSITION_EMBEDDING, TRANSFORMER(2, 2, true, 0), NORM(layer_norm), LM_HEAD(true)),
     .form = TEXT(32, 11),
     .loss = CROSS_ENTROPY,
     .rows = 3,
     .room = 4},
    {.spec = MODEL(DENSE(3), DENSE(5003)),
     .form = {.input = {1, {4}}, .classes = 5003, .terms = 1},
     .loss = CROSS_ENTROPY,
     .rows = 70,
     .room = 131},
};

/* OpenBLAS's, counted. */
struct counted {
    struct compute compute; /* first, so that a pointer to it is one to all */
    double *flops;
};

static void product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    bool adds, float *c, size_t stride)
{
    *((const struct counted *)compute)->flops += 2 * (double)m * (double)n * (double)k;
    compute_openblas.product(&compute_openblas, m, n, k, a, b, adds, c, stride);
}

/* As many additions and multiplications as the layers say that they need; attention's tiles need a few more, for what
 * no position sees. */
static void all_products_are_made_with_the_models_compute(void)
{
    for (size_t i = 0; i < COUNT(passes); i++) {
        struct bench b;
        struct loss_sums sums;
        double flops = 0, expected = 0;
        struct counted counted = {compute_openblas, &flops};
        counted.compute.product = product;
        struct trial trial = passes[i];
        trial.spec.gemm = GEMM_OPENBLAS; /* whose scratch is enough */
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &trial));
        for (size_t l = 0; l < b.model.count; l++)
            expected += b.model.layers[l].flops * (double)b.model.leaf.rows;
        CU_ASSERT_PTR_EQUAL(b.model.compute, &compute_openblas);
        b.model.compute = &counted.compute;
        model_evaluate_leaf(&b.model, b.params, &sums, NULL);
        CU_ASSERT_TRUE(passes[i].form.vocabulary > 0 ? flops > expected && flops < 1.1 * expected : flops == expected);
        flops = 0;
        model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
        CU_ASSERT_TRUE(flops > 1.9 * expected && flops < 4 * expected); /* back again, to weights and to inputs */
        bench_release(&b);
    }
}

/* ---- sides that are parameters ---- */

/* OpenBLAS's, watched. */
struct watched {
    struct compute compute; /* first */
    const struct bench *bench;
    size_t sides[32]; /* products in which each tensor was a side */
    size_t wrong;
};

static void watch_side(struct watched *watched, struct matrix side)
{
    const struct bench *b = watched->bench;
    const float *end = b->params + b->model.table.count;
    bool is_parameter = (uintptr_t)side.values >= (uintptr_t)b->params && (uintptr_t)side.values < (uintptr_t)end;
    watched->wrong += is_parameter != (side.tensor != NULL);
    if (!side.tensor || *side.tensor >= COUNT(watched->sides))
        return;
    const struct tensor *tensor = &b->model.table.tensors[*side.tensor];
    watched->wrong += side.values != b->params + tensor->offset || side.stride != tensor->count / tensor->shape[0];
    watched->sides[*side.tensor]++;
}

static void watched_product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a,
                            struct matrix b, bool adds, float *c, size_t stride)
{
    watch_side((struct watched *)compute, a);
    watch_side((struct watched *)compute, b);
    compute_openblas.product(&compute_openblas, m, n, k, a, b, adds, c, stride);
}

/* Whole, so that they could have been prepared before; what is no parameter says so. */
static void a_side_that_is_a_parameter_says_which(void)
{
    for (size_t i = 0; i < COUNT(passes); i++) {
        struct bench b;
        struct loss_sums sums;
        struct watched watched = {.compute = compute_openblas, .bench = &b};
        watched.compute.product = watched_product;
        struct trial trial = passes[i];
        trial.spec.gemm = GEMM_OPENBLAS; /* whose scratch is enough */
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &trial));
        b.model.compute = &watched.compute;
        model_evaluate_leaf(&b.model, b.params, &sums, NULL);
        for (size_t t = 0; t < b.model.table.length; t++) {
            const struct tensor *tensor = &b.model.table.tensors[t];
            bool multiplies = tensor->role == TENSOR_WEIGHT || strcmp(tensor->name, "0.embedding.weight") == 0;
            CU_ASSERT_EQUAL(watched.sides[t] > 0, multiplies);
        }
        model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
        CU_ASSERT_EQUAL(watched.wrong, 0);
        bench_release(&b);
    }
}

/* ---- convolutions by another hand ---- */

static size_t no_scratch(const struct compute *compute, const struct convolution *convolution)
{
    (void)compute, (void)convolution;
    return 0;
}

/* The place in an image [H, W] that weight (i, j) sees for output (r, c); NONE: a zero beside the image. */
enum { NONE = -1 };
static int seen(const struct convolution *v, size_t r, size_t c, size_t i, size_t j)
{
    int y = (int)(r * v->stride[1] + i) - (int)v->before[1], x = (int)(c * v->stride[2] + j) - (int)v->before[2];
    return y >= 0 && y < (int)v->in[1] && x >= 0 && x < (int)v->in[2] ? y * (int)v->in[2] + x : NONE;
}

/* Calls with each product of a convolution: of the elements of x [M, C, H, W], weight [O, K] and y [M, O, Y, X]. */
static void each_product(const struct convolution *v, size_t M, void (*take)(void *, size_t, size_t, size_t), void *to)
{
    size_t X = v->out[2], places = v->out[1] * X, k = v->kernel[2], taps = v->kernel[1] * k;
    for (size_t y = 0; y < M * v->O * places; y++)
        for (size_t K = 0; K < v->K; K++) {
            size_t m = y / places / v->O, o = y / places % v->O, c = K / taps;
            int place = seen(v, y % places / X, y % X, K % taps / k, K % k);
            if (place != NONE)
                take(to, (m * v->C + c) * v->in[1] * v->in[2] + (size_t)place, o * v->K + K, y);
        }
}

struct sides {
    const float *x, *weight, *y;
    float *dx, *dweight, *sum;
};

static void take_forward(void *to, size_t x, size_t w, size_t y)
{
    struct sides *sides = to;
    sides->sum[y] += sides->x[x] * sides->weight[w];
}

static void take_dweight(void *to, size_t x, size_t w, size_t y)
{
    struct sides *sides = to;
    sides->dweight[w] += sides->x[x] * sides->y[y];
}

static void take_dx(void *to, size_t x, size_t w, size_t y)
{
    struct sides *sides = to;
    sides->dx[x] += sides->weight[w] * sides->y[y];
}

static void plain_forward(const struct compute *compute, const struct convolution *v, size_t M, const float *x,
                          struct matrix weight, const float *bias, float *scratch, float *y)
{
    (void)compute, (void)scratch;
    size_t places = v->out[1] * v->out[2];
    for (size_t i = 0; i < M * v->O * places; i++)
        y[i] = bias ? bias[i / places % v->O] : 0;
    each_product(v, M, take_forward, &(struct sides){.x = x, .weight = weight.values, .sum = y});
}

static void plain_dweight(const struct compute *compute, const struct convolution *v, size_t M, const float *x,
                          const float *dy, float *scratch, float *dweight, float *dbias)
{
    (void)compute, (void)scratch;
    size_t places = v->out[1] * v->out[2];
    memset(dweight, 0, v->O * v->K * sizeof *dweight);
    each_product(v, M, take_dweight, &(struct sides){.x = x, .y = dy, .dweight = dweight});
    for (size_t o = 0; dbias && o < v->O; o++)
        dbias[o] = 0;
    for (size_t i = 0; dbias && i < M * v->O * places; i++)
        dbias[i / places % v->O] += dy[i];
}

static void plain_dx(const struct compute *compute, const struct convolution *v, size_t M, const float *dy,
                     struct matrix weight, float *scratch, float *dx)
{
    (void)compute, (void)scratch;
    memset(dx, 0, M * v->C * v->in[1] * v->in[2] * sizeof *dx);
    each_product(v, M, take_dx, &(struct sides){.weight = weight.values, .y = dy, .dx = dx});
}

static void no_product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                       bool adds, float *c, size_t stride)
{
    (void)compute, (void)m, (void)n, (void)k, (void)a, (void)b, (void)adds, (void)c, (void)stride;
    CU_FAIL("a convolution needs products only if it is made of them");
}

/* A model of convolutions needs nothing of a compute but these, and gets the same numbers from any that is right. */
static void convolutions_are_made_as_the_models_compute_makes_them(void)
{
    static const struct compute plain = {.product = no_product,
                                         .convolution_scratch = no_scratch,
                                         .convolution_forward = plain_forward,
                                         .convolution_dweight = plain_dweight,
                                         .convolution_dx = plain_dx};
    struct trial trials[] = {
        {.spec = MODEL(CONV2D(3, 3, 1, PADDING_SAME), PLAIN(tanh), CONV2D_ALONE(4, 2), CONV2D(2, 3, 2, 1)),
         .form = IMAGE(2, 6, 5, 12)},
        {.spec = MODEL(CONV2D(3, 1, 1, 0), CONV2D_ALONE(2, 1)), .form = IMAGE(2, 12, 11, 264)},
    };
    for (size_t i = 0; i < COUNT(trials); i++) {
        struct bench b;
        struct loss_sums sums, right;
        trials[i].rows = 3;
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &trials[i]));
        size_t count = b.model.table.count, wrong = 0;
        float *expected = memory_need(count, sizeof *expected);
        model_train_leaf(&b.model, b.params, 0, expected, &right, NULL);
        b.model.compute = &plain;
        model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
        CU_ASSERT_DOUBLE_EQUAL(sums.loss, right.loss, 1e-5 * right.loss);
        for (size_t t = 0; t < b.model.table.length; t++)
            for (size_t e = 0; e < b.model.table.tensors[t].count; e++) {
                size_t place = b.model.table.tensors[t].offset + e;
                float off = b.gradient[place] - expected[place];
                wrong += !(off * off <= 1e-8f * (1 + expected[place] * expected[place]));
            }
        CU_ASSERT_EQUAL(wrong, 0);
        memory_free(expected);
        bench_release(&b);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"all products are made with the model's compute", all_products_are_made_with_the_models_compute},
        {"a side that is a parameter says which", a_side_that_is_a_parameter_says_which},
        {"convolutions are made as the model's compute makes them",
         convolutions_are_made_as_the_models_compute_makes_them},
        {NULL, NULL},
    };
    return test_run("nn/compute", cases);
}
