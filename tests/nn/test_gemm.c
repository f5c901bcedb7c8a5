#include "base/memory.h"
#include "base/rng.h"
#include "nn/kernels/compute.h"
#include "nn/kernels/gemm.h"
#include "support/test.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LARGEST = 100, AREA = LARGEST * LARGEST };

static const size_t shapes[] = {1, 3, 16, 17, 100};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* What is said of products holds for both. */
static const struct compute *const computes[] = {&compute_lockstep, &compute_openblas};
enum { COMPUTES = sizeof computes / sizeof *computes };

struct product {
    const struct compute *compute;
    bool a_transposed, b_transposed;
    size_t m, n, k;
    float *a, *b, *c, *before; /* AREA each, one more for c */
};

static void product_init(struct product *product)
{
    memset(product, 0, sizeof *product);
    product->a = memory_need(AREA, sizeof(float));
    product->b = memory_need(AREA, sizeof(float));
    product->c = memory_need(AREA + 1, sizeof(float));
    product->before = memory_need(AREA, sizeof(float));
    for (size_t i = 0; i < AREA; i++) {
        product->a[i] = 2 * rng_uniform(rng_key(1, "a"), i) - 1;
        product->b[i] = 2 * rng_uniform(rng_key(1, "b"), i) - 1;
        product->before[i] = 2 * rng_uniform(rng_key(1, "c"), i) - 1;
    }
}

static void product_release(struct product *product)
{
    memory_free(product->a);
    memory_free(product->b);
    memory_free(product->c);
    memory_free(product->before);
}

/* The i-th of all combinations. */
enum { COMBINATIONS = SHAPES * SHAPES * SHAPES * 4 * COMPUTES };

static void product_choose(struct product *product, size_t i)
{
    product->a_transposed = i % 2;
    product->b_transposed = i / 2 % 2;
    product->m = shapes[i / 4 % SHAPES];
    product->n = shapes[i / 4 / SHAPES % SHAPES];
    product->k = shapes[i / 4 / SHAPES / SHAPES % SHAPES];
    product->compute = computes[i / 4 / SHAPES / SHAPES / SHAPES];
}

static void multiply(const struct product *p, bool adds, float *c)
{
    struct matrix a = matrix_of(p->a, p->a_transposed ? p->m : p->k, p->a_transposed);
    struct matrix b = matrix_of(p->b, p->b_transposed ? p->k : p->n, p->b_transposed);
    p->compute->product(p->compute, p->m, p->n, p->k, a, b, adds, c, p->n);
}

/* c against a b, plus what was there before, in double. A float sum of k products, in any order, is off by at most (k +
 * 1) roundings of the sum of the magnitudes (N. Higham, "Accuracy and stability of numerical algorithms", section 3.1).
 */
static bool product_is_right(const struct product *p, bool adds)
{
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            double kept = adds ? (double)p->before[i * p->n + j] : 0;
            double sum = kept, magnitude = fabs(kept);
            for (size_t l = 0; l < p->k; l++) {
                double a = (double)(p->a_transposed ? p->a[l * p->m + i] : p->a[i * p->k + l]);
                double b = (double)(p->b_transposed ? p->b[j * p->k + l] : p->b[l * p->n + j]);
                sum += a * b;
                magnitude += fabs(a * b);
            }
            if (!(fabs((double)p->c[i * p->n + j] - sum) <= (double)(p->k + 2) * 0x1p-24 * magnitude))
                return false;
        }
    return true;
}

/* All combinations; c begins as `before`, or as NaN. Nothing behind c is written. */
static void check_all(bool adds, bool begin_as_nan)
{
    struct product p;
    product_init(&p);
    for (size_t i = 0; i < COMBINATIONS; i++) {
        product_choose(&p, i);
        for (size_t e = 0; e < AREA; e++)
            p.c[e] = begin_as_nan ? NAN : p.before[e];
        p.c[p.m * p.n] = 12345;
        multiply(&p, adds, p.c);
        bool right = product_is_right(&p, adds);
        CU_ASSERT_TRUE(right);
        if (!right)
            printf("\n    %s: a %s, b %s, m %zu, n %zu, k %zu", p.compute->describe(p.compute),
                   p.a_transposed ? "transposed" : "plain", p.b_transposed ? "transposed" : "plain", p.m, p.n, p.k);
        CU_ASSERT_EQUAL(p.c[p.m * p.n], 12345);
    }
    product_release(&p);
}

static void products_are_right_for_all_sides_and_shapes(void)
{
    check_all(false, false);
}

static void what_does_not_add_forgets_what_was_there_also_nan(void)
{
    check_all(false, true);
}

static void what_adds_adds_to_what_was_there(void)
{
    check_all(true, false);
}

/* A matrix [rows, columns] as part of a larger one, whose rows are `ld` apart; what lies between is NaN. */
static void spread(size_t rows, size_t columns, size_t ld, const float *dense, float *part)
{
    for (size_t i = 0; i < rows * ld; i++)
        part[i] = NAN;
    for (size_t i = 0; i < rows; i++)
        memcpy(part + i * ld, dense + i * columns, columns * sizeof *dense);
}

static void gather(size_t rows, size_t columns, size_t ld, const float *part, float *dense)
{
    for (size_t i = 0; i < rows; i++)
        memcpy(dense + i * columns, part + i * ld, columns * sizeof *dense);
}

/* All combinations with operands and result as parts; between the rows nothing is read, and of c nothing written. */
static void check_parts(bool adds, bool begin_as_nan)
{
    enum { WIDER = LARGEST + 7 };
    struct product p;
    product_init(&p);
    float *a = memory_need(LARGEST * WIDER, sizeof *a), *b = memory_need(LARGEST * WIDER, sizeof *b);
    float *c = memory_need(LARGEST * WIDER, sizeof *c);
    for (size_t i = 0; i < COMBINATIONS; i++) {
        product_choose(&p, i);
        size_t a_rows = p.a_transposed ? p.k : p.m, b_rows = p.b_transposed ? p.n : p.k;
        size_t a_columns = p.m * p.k / a_rows, b_columns = p.k * p.n / b_rows;
        size_t lda = a_columns + 1, ldb = b_columns + 7, ldc = p.n + 3;
        spread(a_rows, a_columns, lda, p.a, a);
        spread(b_rows, b_columns, ldb, p.b, b);
        for (size_t e = 0; e < p.m * ldc; e++)
            c[e] = e % ldc >= p.n ? 12345 : begin_as_nan ? NAN : p.before[e / ldc * p.n + e % ldc];
        p.compute->product(p.compute, p.m, p.n, p.k, matrix_of(a, lda, p.a_transposed),
                           matrix_of(b, ldb, p.b_transposed), adds, c, ldc);
        gather(p.m, p.n, ldc, c, p.c);
        bool right = product_is_right(&p, adds);
        CU_ASSERT_TRUE(right);
        if (!right)
            printf("\n    %s: a %s, b %s, m %zu, n %zu, k %zu", p.compute->describe(p.compute),
                   p.a_transposed ? "transposed" : "plain", p.b_transposed ? "transposed" : "plain", p.m, p.n, p.k);
        size_t written = 0;
        for (size_t e = 0; e < p.m * ldc; e++)
            written += e % ldc >= p.n && c[e] != 12345;
        CU_ASSERT_EQUAL(written, 0);
    }
    memory_free(a);
    memory_free(b);
    memory_free(c);
    product_release(&p);
}

static void products_of_parts_are_right_and_stay_in_their_part(void)
{
    check_parts(false, true);
    check_parts(true, false);
}

/* OpenBLAS has shortcuts by value (a 0 in a vector): a NaN in an operand must come through them. */
static void nan_in_an_operand_reaches_its_row_and_column(void)
{
    struct product p;
    product_init(&p);
    size_t swallowed = 0, spread = 0;
    for (size_t i = 0; i < COMBINATIONS; i++) {
        product_choose(&p, i);
        memset(p.b, 0, AREA * sizeof *p.b);
        size_t row = p.m / 2, middle = p.k / 2;
        size_t place = p.a_transposed ? middle * p.m + row : row * p.k + middle;
        float kept = p.a[place];
        p.a[place] = NAN;
        multiply(&p, false, p.c);
        p.a[place] = kept;
        for (size_t e = 0; e < p.m * p.n; e++) {
            swallowed += e / p.n == row && !isnan(p.c[e]);
            spread += e / p.n != row && isnan(p.c[e]);
        }
    }
    CU_ASSERT_EQUAL(swallowed, 0);
    CU_ASSERT_EQUAL(spread, 0);
    product_release(&p);
}

static void the_same_product_gives_the_same_bits(void)
{
    struct product p;
    product_init(&p);
    float *again = memory_need(AREA, sizeof *again);
    for (size_t i = 0; i < COMBINATIONS; i++) {
        product_choose(&p, i);
        memset(again, 0xff, AREA * sizeof *again);
        multiply(&p, false, p.c);
        multiply(&p, false, again);
        CU_ASSERT_EQUAL(memcmp(p.c, again, p.m * p.n * sizeof *again), 0);
    }
    memory_free(again);
    product_release(&p);
}

static void the_description_says_version_core_build_and_one_thread(void)
{
    static const char *const builds[] = {"serial build", "pthread build", "OpenMP build"};
    char version[32] = "", expected[256];
    openblas_set_num_threads(3); /* what a pthread build may have begun with */
    gemm_init();
    CU_ASSERT_EQUAL(openblas_get_num_threads(), 1);
    CU_ASSERT_EQUAL(sscanf(openblas_get_config(), "OpenBLAS %31s", version), 1);
    snprintf(expected, sizeof expected, "OpenBLAS %s %s, %s, 1 thread", version, openblas_get_corename(),
             builds[openblas_get_parallel()]);
    CU_ASSERT_STRING_EQUAL(compute_openblas.describe(&compute_openblas), expected);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"products are right for all sides and shapes", products_are_right_for_all_sides_and_shapes},
        {"what does not add forgets what was there, also NaN", what_does_not_add_forgets_what_was_there_also_nan},
        {"what adds adds to what was there", what_adds_adds_to_what_was_there},
        {"products of parts are right and stay in their part", products_of_parts_are_right_and_stay_in_their_part},
        {"NaN in an operand reaches its row and no other", nan_in_an_operand_reaches_its_row_and_column},
        {"the same product gives the same bits", the_same_product_gives_the_same_bits},
        {"the description says version, core, build and one thread",
         the_description_says_version_core_build_and_one_thread},
        {NULL, NULL},
    };
    return test_run("nn/gemm", cases);
}
