#include "nn/kernels/product_bf16_trial.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"

#include <math.h>

enum { ROWS = 19, COLUMNS = 70, PARTS = PRODUCT_BF16_PART + 17, SIDE = 48, MOST = PARTS * COLUMNS };

struct trial {
    product_bf16_way *way;
    uint64_t digest;
    float a[MOST], b[MOST], c[MOST];
};

static void take(struct trial *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(t->c[i]))
            t->c[i] = 0x1.23p45f; /* which no sum here is */
    t->digest = digest_chain(t->digest, digest_bytes(t->c, n * sizeof *t->c));
}

static void try_ordinary(struct trial *t)
{
    uint64_t key_a = rng_key(1, "bf16 a"), key_b = rng_key(1, "bf16 b");
    for (size_t i = 0; i < MOST; i++) {
        t->a[i] = 2 * rng_uniform(key_a, i) - 1;
        t->b[i] = 2 * rng_uniform(key_b, i) - 1;
    }
    for (unsigned sides = 0; sides < 4; sides++) {
        size_t m = sides & 1 ? COLUMNS : ROWS, n = sides & 1 ? ROWS : COLUMNS;
        struct matrix a = matrix_of(t->a, sides & 1 ? m : PARTS, sides & 1);
        struct matrix b = matrix_of(t->b, sides & 2 ? PARTS : n, sides & 2);
        t->way(m, n, PARTS, a, b, false, t->c, n);
        t->way(m, n, ROWS, a, b, true, t->c, n);
        take(t, m * n);
    }
}

/* Chains of up to 5 products of these, one of each sign. */
static void try_special(struct trial *t, size_t count, const float *values)
{
    uint64_t key = rng_key(count, "bf16 special");
    for (size_t k = 1; k <= 5; k++) {
        for (size_t i = 0; i < SIDE * k; i++) {
            uint32_t r[4];
            rng_words(key, i, k, r);
            t->a[i] = (r[0] & 1 ? -1.0f : 1.0f) * values[r[1] % count];
            t->b[i] = (r[0] & 2 ? -1.0f : 1.0f) * values[r[2] % count];
        }
        t->way(SIDE, SIDE, k, matrix_of(t->a, k, false), matrix_of(t->b, SIDE, false), false, t->c, SIDE);
        t->way(SIDE, SIDE, k, matrix_of(t->a, SIDE, true), matrix_of(t->b, k, true), true, t->c, SIDE);
        take(t, SIDE * SIDE);
    }
}

uint64_t product_bf16_try(product_bf16_way *way)
{
    /* Products of 2^-126, of 2^-150 to 2^-152, and between; what is below 2^-126, and what is rounded up to it. */
    static const float small[] = {0x1p-63f,     0x1.02p-63f, 0x1p-75f,         0x1.8p-76f,       0x1.02p-76f,
                                  0x1.fep-64f,  0x1p-62f,    0x1p-126f,        0x1.fffffcp-127f, 0x1p-149f,
                                  0x1.fep-127f, 0x0p0f,      0x1.fffff8p-127f, 0x1p-1f};
    /* Ties of rounding, the largest that is not infinite, and what is not finite. */
    static const float large[] = {0x1p0f,         0x1.01p0f,       0x1.03p0f, 0x1.00fffep0f,  0x1.030002p0f,
                                  0x1.fep127f,    0x1.fffffep127f, 0x1p127f,  0x1.fefffep63f, 0x1.ffp63f,
                                  0x1.fffffp126f, 0x0p0f,          INFINITY,  0x1p-126f,      0x1p-149f};
    static const float odd[] = {0x1p0f, INFINITY, NAN, 0x0p0f, 0x1p-149f, 0x1.fep127f, 0x1p1f, 0x1.8p0f};
    struct trial *t = memory_need(1, sizeof *t);
    t->way = way;
    try_ordinary(t);
    try_special(t, sizeof small / sizeof *small, small);
    try_special(t, sizeof large / sizeof *large, large);
    try_special(t, sizeof odd / sizeof *odd, odd);
    uint64_t digest = t->digest;
    memory_free(t);
    return digest;
}
