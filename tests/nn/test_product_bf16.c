/* Products of bf16: that each way to make them gives the bits of the definition, which is a plain loop here. */
#include "nn/kernels/product_bf16_chosen.h"

#include "base/memory.h"
#include "base/rng.h"
#include "nn/kernels/numerics.h"
#include "nn/kernels/product_bf16_trial.h"
#include "support/test.h"

#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ---- the definition ---- */

/* How a machine could go astray. */
static struct {
    bool keeps_subnormals, flushes_before_rounding, takes_first_first, rounds_ties_away, keeps_subnormal_operands;
} astray;

/* By dividing: x = n 2^e exactly, with n of 8 bits and a rest. */
static float r(float x)
{
    int exponent;
    if (x == 0 || !isfinite(x))
        return x;
    if (fabsf(x) < 0x1p-126f && !astray.keeps_subnormal_operands)
        return copysignf(0, x);
    double n = ldexp(frexp((double)fabsf(x), &exponent), 8), whole = floor(n), rest = n - whole;
    if (rest > 0.5 || (rest == 0.5 && (fmod(whole, 2) == 1 || astray.rounds_ties_away)))
        whole++;
    return copysignf((float)ldexp(whole, exponent - 8), x);
}

/* z(fma(a, b, s)). What is rounded to 2^-126 is rounded once more with all of it 2^60 times as large, where numbers are
 * not subnormal: s is small then, and not both of a and b are large. */
static float add_product(float a, float b, float s)
{
    float sum = fmaf(a, b, s);
    if (astray.keeps_subnormals || fabsf(sum) > 0x1p-126f || isnan(sum))
        return sum;
    if (fabsf(sum) < 0x1p-126f)
        return copysignf(0, sum);
    bool a_is_smaller = fabsf(a) < fabsf(b);
    float smaller = a_is_smaller ? a : b, larger = a_is_smaller ? b : a;
    float scaled = fmaf(smaller * 0x1p60f, larger, s * 0x1p60f);
    double exact = (double)a * (double)b + (double)s; /* only asked whether it is below */
    bool below = astray.flushes_before_rounding ? fabs(exact) < 0x1p-126 : fabsf(scaled) < 0x1p-66f;
    return below ? copysignf(0, sum) : sum;
}

static float element(struct matrix matrix, size_t row, size_t column)
{
    return matrix.transposed ? matrix.values[column * matrix.stride + row]
                             : matrix.values[row * matrix.stride + column];
}

static float defined(size_t k, struct matrix a, struct matrix b, size_t i, size_t j, bool adds, float c)
{
    size_t pairs = (k + 1) / 2, most = PRODUCT_BF16_PART / 2, parts = (pairs + most - 1) / most;
    for (size_t part = 0, pair = 0; part < parts; part++) {
        float s = 0;
        for (size_t end = pair + pairs / parts + (part < pairs % parts); pair < end; pair++)
            for (size_t q = 0; q < 2; q++) {
                size_t p = 2 * pair + (astray.takes_first_first ? q : 1 - q);
                s = add_product(p < k ? r(element(a, i, p)) : 0, p < k ? r(element(b, p, j)) : 0, s);
            }
        c = adds || part > 0 ? c + s : s;
    }
    return c;
}

static void plain(size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds, float *c, size_t stride)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            c[i * stride + j] = defined(k, a, b, i, j, adds, c[i * stride + j]);
}

/* ---- the ways ---- */

struct way {
    const char *name;
    product_bf16_way *make;
};

static size_t ways_here(struct way ways[2])
{
    size_t count = 0;
    ways[count++] = (struct way){"emulated", product_bf16_emulated};
#if CPU_X86
    if (cpu_has_bf16())
        ways[count++] = (struct way){"AVX512_BF16", product_bf16_avx512};
#endif
    return count;
}

static bool is_same(float x, float y)
{
    return isnan(x) ? isnan(y) : bits_of(x) == bits_of(y);
}

struct shape {
    size_t m, n, k;
};

/* Fewer, as many and more than a vector, a tile, a block and a part have; narrow and flat, so that either side is the
 * columns; odd k. */
static const struct shape shapes[] = {
    {1, 1, 1},    {1, 70, 5},     {70, 1, 5},    {5, 16, 384},  {16, 5, 385}, {7, 65, 383},   {65, 7, 800},
    {24, 48, 64}, {25, 49, 1025}, {9, 130, 2},   {130, 9, 2},   {16, 33, 96}, {200, 16, 33},  {64, 10, 130},
    {3, 3, 1537}, {9, 400, 7},    {33, 129, 31}, {47, 31, 513}, {1, 64, 40},  {130, 128, 33},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Numbers of very different size, some of them subnormal, zero, or negative zero; so small, if asked for, that products
 * are. */
static void fill(uint64_t seed, bool small, size_t n, float *x)
{
    uint64_t key = rng_key(seed, "operand");
    for (size_t i = 0; i < n; i++) {
        float u = 2 * rng_uniform(key, 2 * i) - 1, kind = rng_uniform(key, 2 * i + 1);
        x[i] = kind < 0.02f ? u * 0x1p-130f : kind < 0.03f ? 0.0f : kind < 0.04f ? -0.0f : kind < 0.3f ? u * 1e4f : u;
        x[i] *= small ? 0x1p-66f : 1;
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

/* One product by each way. All that is behind the last element of an operand, or of c, cannot be touched; what is
 * between rows is NaN, and must stay. */
static bool is_as_defined(const struct shape *s, unsigned how, size_t gap)
{
    bool a_transposed = how & 1, b_transposed = how & 2, adds = how & 4, small = how & 8;
    struct way ways[2];
    size_t a_rows = a_transposed ? s->k : s->m, b_rows = b_transposed ? s->n : s->k, count = ways_here(ways);
    size_t lda = s->m * s->k / a_rows + gap, ldb = s->n * s->k / b_rows + gap, ldc = s->n + gap;
    size_t sizes[] = {a_rows * lda - gap, b_rows * ldb - gap, s->m * ldc - gap, s->m * ldc - gap}, lengths[4];
    void *all[4];
    float *x[4]; /* a, b, what c was, c */
    for (size_t i = 0; i < 4; i++)
        x[i] = guarded(sizes[i] * sizeof(float), &all[i], &lengths[i]);
    for (size_t i = 0; i < 3; i++)
        fill(i, small, sizes[i], x[i]);
    for (size_t i = 0; i < sizes[0]; i++)
        x[0][i] = i % lda < lda - gap ? x[0][i] : NAN;
    for (size_t i = 0; i < sizes[1]; i++)
        x[1][i] = i % ldb < ldb - gap ? x[1][i] : NAN;
    struct matrix a = matrix_of(x[0], lda, a_transposed), b = matrix_of(x[1], ldb, b_transposed);
    size_t wrong[2] = {0};
    for (size_t w = 0; w < count; w++) {
        for (size_t e = 0; e < sizes[3]; e++)
            x[3][e] = adds || e % ldc >= s->n ? x[2][e] : NAN;
        ways[w].make(s->m, s->n, s->k, a, b, adds, x[3], ldc);
        for (size_t e = 0; e < sizes[3]; e++) {
            float expected = e % ldc < s->n ? defined(s->k, a, b, e / ldc, e % ldc, adds, x[2][e]) : x[2][e];
            wrong[w] += bits_of(expected) != bits_of(x[3][e]);
        }
        if (wrong[w] > 0)
            printf("\n    %s: a %s, b %s, m %zu, n %zu, k %zu, %s%s: %zu elements differ", ways[w].name,
                   a_transposed ? "transposed" : "plain", b_transposed ? "transposed" : "plain", s->m, s->n, s->k,
                   adds ? "added" : "set", small ? ", small" : "", wrong[w]);
    }
    for (size_t i = 0; i < 4; i++)
        munmap(all[i], lengths[i]);
    return wrong[0] + wrong[1] == 0;
}

static void each_way_gives_the_bits_of_the_definition(void)
{
    for (size_t i = 0; i < SHAPES; i++)
        for (unsigned how = 0; how < 8; how++)
            CU_ASSERT(is_as_defined(&shapes[i], how + 8 * ((unsigned)i % 2), (how + i) % 3));
}

/* Any bits there are: each exponent, each class of numbers, NaN as well; and sums that nearly are 2^-126. */
static void each_way_gives_them_for_any_bits(void)
{
    enum { M = 64, N = 64, MOST = 6, TIMES = 120 };
    float *a = memory_need(M * MOST, sizeof *a), *b = memory_need(N * MOST, sizeof *b);
    float *c = memory_need(M * N, sizeof *c), *expected = memory_need(M * N, sizeof *c);
    struct way ways[2];
    size_t count = ways_here(ways), wrong = 0, zeros = 0, finite = 0;
    for (uint64_t t = 0; t < TIMES; t++) {
        size_t k = 1 + t % MOST, kind = t / MOST % 5;
        uint64_t key = rng_key(t, "bits");
        for (size_t i = 0; i < M * k; i++) {
            uint32_t w[4];
            rng_words(key, i, 0, w);
            /* Any; of the middle; whose products are about 2^-126; and all are a whole number of 2^-152; that cancel
             * but for their last places, of 2^-127. */
            static const uint32_t lowest[] = {0, 110, 54, 51, 70}, span[] = {256, 34, 20, 14, 1};
            uint32_t ea = lowest[kind] + w[2] % span[kind], eb = lowest[kind] + w[3] % span[kind] + (kind == 4);
            uint32_t keep = kind == 3 ? 0x80400000 : kind == 4 ? 0x80030000 : 0x807fffff;
            a[i] = of_bits((w[0] & keep) | ea << 23);
            b[i] = of_bits((w[1] & keep) | eb << 23);
        }
        plain(M, N, k, matrix_of(a, k, false), matrix_of(b, k, true), false, expected, N);
        for (size_t w = 0; w < count; w++) {
            ways[w].make(M, N, k, matrix_of(a, k, false), matrix_of(b, k, true), false, c, N);
            for (size_t e = 0; e < M * N; e++) {
                wrong += !is_same(c[e], expected[e]);
                zeros += c[e] == 0;
                finite += isfinite(c[e]) && c[e] != 0;
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(zeros > 10000 && finite > 10000); /* or nothing was tried */
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(expected);
}

/* An element does not know how many others the call has. */
static void an_element_does_not_depend_on_the_shape_of_the_call(void)
{
    enum { M = 70, N = 70, K = 600 };
    float *a = memory_need(M * K, sizeof *a), *b = memory_need(N * K, sizeof *b), *c = memory_need(M * N, sizeof *c);
    float *part = memory_need(M * N, sizeof *part);
    struct way ways[2];
    size_t wrong = 0, count = ways_here(ways);
    fill(1, false, M * K, a);
    fill(2, false, N * K, b);
    for (size_t w = 0; w < count; w++) {
        ways[w].make(M, N, K, matrix_of(a, K, false), matrix_of(b, K, true), false, c, N);
        for (size_t m = 1; m <= M; m += 5)
            for (size_t n = 1; n <= N; n += 4) {
                size_t i = M - m, j = N - n;
                ways[w].make(m, n, K, matrix_of(a + i * K, K, false), matrix_of(b + j * K, K, true), false, part, n);
                for (size_t row = 0; row < m; row++)
                    wrong += memcmp(part + row * n, c + (i + row) * N + j, n * sizeof *c) != 0;
            }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(part);
}

/* ---- the self-test ---- */

static void the_definition_has_the_digest(void)
{
    memset(&astray, 0, sizeof astray);
    CU_ASSERT_EQUAL(product_bf16_try(plain), PRODUCT_BF16_DIGEST);
    CU_ASSERT_EQUAL(product_bf16_digest(), PRODUCT_BF16_DIGEST);
    CU_ASSERT_STRING_EQUAL(compute_bf16.precision(&compute_bf16), "bf16");
    if (product_bf16_digest() != PRODUCT_BF16_DIGEST)
        printf("\n    0x%016" PRIx64 "u; the plain loop: 0x%016" PRIx64 "u", product_bf16_digest(),
               product_bf16_try(plain));
}

static void what_goes_astray_has_another_one(void)
{
    bool *const ways[] = {&astray.keeps_subnormals, &astray.flushes_before_rounding, &astray.takes_first_first,
                          &astray.rounds_ties_away, &astray.keeps_subnormal_operands};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        *ways[i] = true;
        CU_ASSERT_NOT_EQUAL(product_bf16_try(plain), PRODUCT_BF16_DIGEST);
        *ways[i] = false;
    }
}

static const char *program;

/* Of a process that was told to use these instructions: of this program, started again. */
static void every_path_of_this_machine_has_the_digest(void)
{
    static const char *const cpus[] = {"", "avx512", "avx2", "neon", "baseline"};
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        char line[512], got[64] = "", expected[64];
        snprintf(line, sizeof line, "LOCKSTEP_CPU=%s '%s' --digest", cpus[i], program);
        bool native = cpus[i][0] == '\0' && cpu_has_bf16(); /* LOCKSTEP_CPU asks for what has it not */
        snprintf(expected, sizeof expected, "%016" PRIx64 " %s\n", (uint64_t)PRODUCT_BF16_DIGEST,
                 native ? "native" : "emulated");
        FILE *out = popen(line, "r");
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        CU_ASSERT_PTR_NOT_NULL(fgets(got, sizeof got, out));
        CU_ASSERT_EQUAL(pclose(out), 0);
        CU_ASSERT_STRING_EQUAL(got, expected);
    }
}

/* The instructions do not ask how the thread rounds; nor has emulation to: it is entered as numerics.h says. */
static void native_products_do_not_depend_on_the_mode_of_rounding(void)
{
#if CPU_X86
    enum { N = 32 };
    float a[N * N], b[N * N], c[N * N], upward[N * N];
    fill(1, false, N * N, a);
    fill(2, false, N * N, b);
    if (!cpu_has_bf16())
        return;
    product_bf16_avx512(N, N, N, matrix_of(a, N, false), matrix_of(b, N, false), false, c, N);
    fesetround(FE_UPWARD);
    product_bf16_avx512(N, N, N, matrix_of(a, N, false), matrix_of(b, N, false), false, upward, N);
    numerics_enter();
    CU_ASSERT_EQUAL(memcmp(c, upward, sizeof c), 0);
#endif
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"each way gives the bits of the definition", each_way_gives_the_bits_of_the_definition},
        {"each way gives them for any bits", each_way_gives_them_for_any_bits},
        {"an element does not depend on the shape of the call", an_element_does_not_depend_on_the_shape_of_the_call},
        {"the definition has the digest", the_definition_has_the_digest},
        {"what goes astray has another one", what_goes_astray_has_another_one},
        {"every path of this machine has the digest", every_path_of_this_machine_has_the_digest},
        {"native products do not depend on the mode of rounding",
         native_products_do_not_depend_on_the_mode_of_rounding},
        {NULL, NULL},
    };
    program = argv[0];
    if (argc == 1)
        return test_run("nn/product_bf16", cases);
    printf("%016" PRIx64 " %s\n", product_bf16_digest(), product_bf16_is_native() ? "native" : "emulated");
    return 0;
}
