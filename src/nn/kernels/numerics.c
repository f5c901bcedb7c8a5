#include "nn/kernels/numerics.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/real.h"
#include "base/rng.h"
#include "nn/kernels/product.h"
#include "nn/kernels/vector.h"

#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 25, COLUMNS = 70, PARTS = PRODUCT_PART + 17, MOST = PARTS * COLUMNS };

struct trial {
    uint64_t digest;
    float a[MOST], b[MOST], c[MOST];
};

static void take(struct trial *t, size_t n)
{
    t->digest = digest_chain(t->digest, digest_bytes(t->c, n * sizeof *t->c));
}

/* Ordinary numbers, with some subnormal ones among them. */
static void fill(uint64_t key, float *x)
{
    for (size_t i = 0; i < MOST; i++)
        x[i] = (2 * rng_uniform(key, i) - 1) * (i % 97 == 0 ? 0x1p-130f : 1);
}

static void try_products(struct trial *t)
{
    for (unsigned sides = 0; sides < 4; sides++)
        for (unsigned flat = 0; flat < 2; flat++) {
            size_t m = flat ? COLUMNS : ROWS, n = flat ? ROWS : COLUMNS;
            struct matrix a = matrix_of(t->a, sides & 1 ? m : PARTS, sides & 1);
            struct matrix b = matrix_of(t->b, sides & 2 ? PARTS : n, sides & 2);
            product_make(m, n, PARTS, a, b, false, t->c, n);
            product_make(m, n, ROWS, a, b, true, t->c, n);
            take(t, m * n);
        }
}

/* Whose elements are all subnormal: a unit that flushes them gives zeros. */
static void try_small_products(struct trial *t)
{
    enum { N = 37 };
    for (size_t i = 0; i < N * N; i++) {
        t->b[i] = t->a[i] * 0x1p-40f;
        t->a[i] *= 0x1p-94f;
    }
    struct matrix a = matrix_of(t->a, N, false), b = matrix_of(t->b, N, false);
    product_make(N, N, N, a, b, false, t->c, N);
    product_make(N, N, N, a, b, true, t->c, N);
    take(t, N * N);
}

enum { N = 333, W = 2 * VECTOR_COLUMNS }; /* of a vector, with a rest for every width; of columns */

static void try_vectors(struct trial *t)
{
    static void (*const maps[])(size_t, const float *, float *) = {
        vector_exp, vector_log, vector_tanh, vector_erf, vector_sigmoid, vector_silu, vector_gelu, vector_gelu_tanh};
    static void (*const pairs[])(size_t, const float *, const float *, float *) = {
        vector_tanh_back, vector_sigmoid_back, vector_silu_back, vector_add, vector_multiply};
    static void (*const slopes[])(size_t, const float *, float *, float *) = {vector_gelu_slope,
                                                                              vector_gelu_tanh_slope};
    for (size_t i = 0; i < MOST; i++)
        t->b[i] = fabsf(t->b[i]);
    for (size_t f = 0; f < sizeof maps / sizeof *maps; f++) {
        maps[f](N, maps[f] == vector_log ? t->b : t->a, t->c);
        take(t, N);
    }
    for (size_t f = 0; f < sizeof pairs / sizeof *pairs; f++) {
        pairs[f](N, t->a, t->b, t->c);
        take(t, N);
    }
    for (size_t f = 0; f < sizeof slopes / sizeof *slopes; f++) {
        slopes[f](N, t->a, t->c, t->c + N);
        take(t, 2 * N);
    }
    vector_scale(N, 1.7f, t->a, t->c);
    vector_affine(N, 1.7f, 0.3f, t->a, t->c + N);
    vector_dropout(N, 1, 2, 0.3, t->a, t->c + 2 * N);
    take(t, 3 * N);
}

static void try_rows(struct trial *t)
{
    float mean[3], r[3];
    t->c[0] = vector_sum(N, t->a);
    t->c[1] = vector_dot(N, t->a, t->b);
    t->c[2] = (float)vector_argmax(N, t->a);
    vector_moments(N, t->a, t->c + 3, t->c + 4);
    t->c[5] = vector_softmax(N, 3, t->a, t->c + 6);
    take(t, 6 + N);
    vector_sum_rows(3, N, t->a, t->c, false);
    vector_sum_rows(3, N, t->b, t->c, true);
    take(t, N);
    vector_dot_columns(ROWS, W, t->a, t->b, t->c);
    for (size_t first = 3; first < ROWS + 1; first += ROWS - 3) {
        memcpy(t->c + 3 * W, t->a, ROWS * W * sizeof *t->c);
        memcpy(t->c + 3 * W + ROWS * W, t->b, ROWS * W * sizeof *t->c);
        vector_softmax_columns(ROWS, W, first, 3, t->c + 3 * W, t->c + W, t->c + 2 * W);
        vector_softmax_columns_back(ROWS, W, first, 0.3f, t->c + 2 * W, t->c, t->c + 3 * W, t->c + 3 * W + ROWS * W);
        take(t, 3 * W + 2 * ROWS * W);
    }
    vector_layer_norm(3, N, 1e-5f, t->a, t->b, t->b + N, t->c, mean, r);
    vector_layer_norm_back(3, N, t->a, t->b, mean, r, t->b, t->c + 3 * N, t->c + 6 * N, t->c + 7 * N);
    take(t, 8 * N);
    vector_rms_norm(3, N, 1e-5f, t->a, t->b, t->c, r);
    vector_rms_norm_back(3, N, t->a, t->b, r, t->b, t->c + 3 * N, t->c + 6 * N);
    take(t, 7 * N);
}

static void try_reals(struct trial *t)
{
    for (int i = 0; i < 64; i++) {
        double u = (double)i / 64, x[5] = {real_exp(10 * u - 5), real_log(u + 0.1), real_pow(u, 0.7)};
        real_circle(u, &x[3], &x[4]);
        t->digest = digest_chain(t->digest, digest_bytes(x, sizeof x));
    }
}

static uint64_t found;

static void try_all(void)
{
    struct trial *t = memory_need(1, sizeof *t);
    fill(rng_key(1, "numerics a"), t->a);
    fill(rng_key(1, "numerics b"), t->b);
    try_products(t);
    try_vectors(t);
    try_rows(t);
    try_reals(t);
    try_small_products(t);
    found = t->digest;
    memory_free(t);
}

void numerics_enter(void)
{
    fesetenv(FE_DFL_ENV);
}

uint64_t numerics_digest(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, try_all);
    return found;
}

const char *numerics_describe(void)
{
    static char words[96];
    uint64_t digest = numerics_digest();
    if (digest == NUMERICS_DIGEST)
        snprintf(words, sizeof words, "%d", NUMERICS);
    else
        snprintf(words, sizeof words, "not %d: this machine rounds otherwise (digest %016" PRIx64 ")", NUMERICS,
                 digest);
    return words;
}
