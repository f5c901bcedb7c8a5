/* Numerics 1: that every instruction set gives the bits of the definition. That they are near the true products:
 * test_gemm.c. */
#include "base/memory.h"
#include "base/rng.h"
#include "nn/kernels/fma.h"
#include "nn/kernels/product.h"
#include "nn/kernels/tile_table.h"
#include "support/test.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct table {
    const char *name;
    const struct tile_table *table;
};

static size_t tables_here(struct table tables[3])
{
    size_t count = 0;
#if CPU_X86
    if (cpu_isa() >= CPU_AVX512)
        tables[count++] = (struct table){"AVX-512", &tile_table_avx512};
    if (cpu_isa() >= CPU_AVX2)
        tables[count++] = (struct table){"AVX2", &tile_table_avx2};
#elif CPU_ARM
    tables[count++] = (struct table){"NEON", &tile_table_neon};
#endif
    tables[count++] = (struct table){"baseline", &tile_table_baseline};
    return count;
}

struct shape {
    size_t m, n, k;
};

/* Fewer, as many and more than a vector, a tile, a part and a band have; narrow and flat, so that either side is the
 * columns. */
static const struct shape shapes[] = {
    {1, 1, 1},     {1, 70, 5},     {70, 1, 5},     {5, 16, 384}, {16, 5, 385},  {7, 65, 383},
    {65, 7, 800},  {24, 48, 64},   {25, 49, 1025}, {9, 130, 2},  {130, 9, 2},   {16, 200, 96},
    {200, 16, 96}, {64, 10, 130},  {3, 3, 1537},   {8, 64, 768}, {33, 129, 31}, {47, 31, 400},
    {1, 64, 40},   {200, 128, 33}, {643, 70, 3},   {70, 650, 3}, {2051, 5, 18}, {130, 2060, 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Numbers of very different size, some of them subnormal, zero, or negative zero. */
static void fill(uint64_t seed, size_t n, float *x)
{
    uint64_t key = rng_key(seed, "operand");
    for (size_t i = 0; i < n; i++) {
        float u = 2 * rng_uniform(key, 2 * i) - 1;
        float kind = rng_uniform(key, 2 * i + 1);
        x[i] = kind < 0.02f ? u * 0x1p-140f : kind < 0.03f ? 0.0f : kind < 0.04f ? -0.0f : kind < 0.3f ? u * 1e4f : u;
    }
}

static void *guarded(size_t bytes, void **all, size_t *length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (bytes + page - 1) / page * page;
    *length = pages + page;
    *all = mmap(NULL, *length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(*all != MAP_FAILED);
    CU_ASSERT_EQUAL_FATAL(mprotect((char *)*all + pages, page, PROT_NONE), 0);
    return (char *)*all + pages - bytes;
}

static float element(const float *values, size_t stride, bool transposed, size_t row, size_t column)
{
    return transposed ? values[column * stride + row] : values[row * stride + column];
}

/* The definition of product.h, word for word. */
static float defined(const struct shape *s, struct matrix a, struct matrix b, size_t i, size_t j, bool adds, float c)
{
    size_t parts = (s->k + PRODUCT_PART - 1) / PRODUCT_PART;
    for (size_t part = 0, p = 0; part < parts; part++) {
        float sum = 0;
        for (size_t end = p + s->k / parts + (part < s->k % parts); p < end; p++)
            sum = fmaf(element(a.values, a.stride, a.transposed, i, p), element(b.values, b.stride, b.transposed, p, j),
                       sum);
        c = adds || part > 0 ? c + sum : sum;
    }
    return c;
}

/* One product with every table. All that is behind the last element of an operand, or of c, cannot be touched; what is
 * between rows is NaN, and must stay. */
static bool is_as_defined(const struct shape *s, bool a_transposed, bool b_transposed, bool adds, size_t gap)
{
    struct table tables[3];
    size_t a_rows = a_transposed ? s->k : s->m, b_rows = b_transposed ? s->n : s->k, count = tables_here(tables);
    size_t lda = s->m * s->k / a_rows + gap, ldb = s->n * s->k / b_rows + gap, ldc = s->n + gap;
    size_t sizes[] = {a_rows * lda - gap, b_rows * ldb - gap, s->m * ldc - gap, s->m * ldc - gap}, lengths[4];
    void *all[4];
    float *x[4]; /* a, b, what c was, c */
    for (size_t i = 0; i < 4; i++)
        x[i] = guarded(sizes[i] * sizeof(float), &all[i], &lengths[i]);
    for (size_t i = 0; i < 3; i++)
        fill(i, sizes[i], x[i]);
    for (size_t i = 0; i < sizes[0]; i++)
        x[0][i] = i % lda < lda - gap ? x[0][i] : NAN;
    for (size_t i = 0; i < sizes[1]; i++)
        x[1][i] = i % ldb < ldb - gap ? x[1][i] : NAN;
    struct matrix a = matrix_of(x[0], lda, a_transposed), b = matrix_of(x[1], ldb, b_transposed);
    bool right = true;
    for (size_t t = 0; t < count; t++) {
        for (size_t e = 0; e < sizes[3]; e++)
            x[3][e] = adds || e % ldc >= s->n ? x[2][e] : NAN;
        product_make_by(tables[t].table, s->m, s->n, s->k, a, b, adds, x[3], ldc);
        size_t wrong = 0;
        for (size_t e = 0; e < sizes[3]; e++) {
            bool inside = e % ldc < s->n;
            float expected = inside ? defined(s, a, b, e / ldc, e % ldc, adds, x[2][e]) : x[2][e];
            wrong += memcmp(&expected, &x[3][e], sizeof expected) != 0;
        }
        if (wrong > 0)
            printf("\n    %s: a %s, b %s, m %zu, n %zu, k %zu, %s: %zu elements differ", tables[t].name,
                   a_transposed ? "transposed" : "plain", b_transposed ? "transposed" : "plain", s->m, s->n, s->k,
                   adds ? "added" : "set", wrong);
        right = right && wrong == 0;
    }
    for (size_t i = 0; i < 4; i++)
        munmap(all[i], lengths[i]);
    return right;
}

static void every_instruction_set_gives_the_bits_of_the_definition(void)
{
    for (size_t i = 0; i < SHAPES; i++)
        for (unsigned sides = 0; sides < 8; sides++)
            CU_ASSERT(is_as_defined(&shapes[i], sides & 1, sides & 2, sides & 4, (sides + i) % 3));
}

/* An element does not know how many others the call has. */
static void an_element_does_not_depend_on_the_shape_of_the_call(void)
{
    enum { M = 40, N = 70, K = 500 };
    float *a = memory_need(M * K, sizeof *a), *b = memory_need(N * K, sizeof *b), *c = memory_need(M * N, sizeof *c);
    float *part = memory_need(M * N, sizeof *part);
    fill(1, M * K, a);
    fill(2, N * K, b);
    product_make(M, N, K, matrix_of(a, K, false), matrix_of(b, K, true), false, c, N);
    size_t wrong = 0;
    for (size_t m = 1; m <= M; m += 3)
        for (size_t n = 1; n <= N; n += 4) {
            size_t i = M - m, j = N - n;
            product_make(m, n, K, matrix_of(a + i * K, K, false), matrix_of(b + j * K, K, true), false, part, n);
            for (size_t row = 0; row < m; row++)
                wrong += memcmp(part + row * n, c + (i + row) * N + j, n * sizeof *c) != 0;
        }
    CU_ASSERT_EQUAL(wrong, 0);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(part);
}

static float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Against the C library's, which asks the hardware: on any bits, on sums that nearly cancel, and on sums near a tie. */
static void fma_without_hardware_is_exact(void)
{
    enum { TIMES = 2000000 };
    uint64_t key = rng_key(3, "fma");
    size_t wrong = 0;
    for (uint64_t i = 0; i < TIMES; i++) {
        uint32_t r[4];
        rng_words(key, i, 0, r);
        float a = of_bits(r[0]), b = of_bits(r[1]), c = of_bits(r[2]);
        if (r[3] % 3 == 1)
            c = -(a * b) * (1 + (float)(r[3] >> 8 & 7) * 0x1p-24f);
        if (r[3] % 3 == 2)
            a = of_bits(r[0] & 0xfffff000), b = of_bits(r[1] & 0xfffff000), c = a * b * (r[3] & 8 ? 0x1p24f : 0x1p-24f);
        float mine = fma_exact(a, b, c), theirs = fmaf(a, b, c);
        wrong += isnan(theirs) ? (size_t)!isnan(mine) : (size_t)(memcmp(&mine, &theirs, sizeof mine) != 0);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every instruction set gives the bits of the definition",
         every_instruction_set_gives_the_bits_of_the_definition},
        {"an element does not depend on the shape of the call", an_element_does_not_depend_on_the_shape_of_the_call},
        {"fma without hardware is exact", fma_without_hardware_is_exact},
        {NULL, NULL},
    };
    return test_run("nn/product", cases);
}
