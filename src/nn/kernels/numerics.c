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

static void try_vectors(struct trial *t)
{
    static void (*const maps[])(size_t, const float *, float *) = {
        vector_exp, vector_log, vector_tanh, vector_erf, vector_sigmoid, vector_silu, vector_gelu, vector_gelu_tanh};
    enum { N = 333 };
    float mean[3], r[3];
    for (size_t i = 0; i < N; i++)
        t->b[i] = fabsf(t->b[i]);
    for (size_t f = 0; f < sizeof maps / sizeof *maps; f++) {
        maps[f](N, maps[f] == vector_log ? t->b : t->a, t->c);
        take(t, N);
    }
    t->c[N] = vector_softmax(N, 3, t->a, t->c);
    t->c[N + 1] = vector_sum(N, t->a);
    t->c[N + 2] = vector_dot(N, t->a, t->b);
    take(t, N + 3);
    vector_layer_norm(3, N, 1e-5f, t->a, t->b, t->b + N, t->c, mean, r);
    take(t, 3 * N);
    vector_layer_norm_back(3, N, t->a, t->b, mean, r, t->b, t->c, t->c + 3 * N, t->c + 4 * N);
    take(t, 5 * N);
    vector_dropout(N, 1, 2, 0.3, t->a, t->c);
    take(t, N);
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
    try_reals(t);
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
