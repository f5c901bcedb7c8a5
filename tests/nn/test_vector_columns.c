/* Functions of columns: softmax as attention wants it, with what a column does not see. */
#include "base/memory.h"
#include "nn/floats.h"
#include "nn/kernels/vector.h"
#include "nn/kernels/vector_table.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST = 67 }; /* all numbers of rows up to here: several parts of a sum and all remainders */

struct columns {
    size_t n, width, first;
    float scale;
    float *x, *dp, *p, *ds;         /* [n, width]; x and dp are left as they were drawn */
    float *inverse, *logs, *deltas; /* [width] */
};

static void columns_init(struct columns *t, size_t n, size_t width, size_t first, float scale, float spread)
{
    size_t count = n * width;
    float *memory = memory_need(4 * count + 3 * width, sizeof *memory);
    *t = (struct columns){n, width, first, scale, .x = memory};
    t->dp = memory + count, t->p = t->dp + count, t->ds = t->p + count;
    t->inverse = t->ds + count, t->logs = t->inverse + width, t->deltas = t->logs + width;
    floats_fill(count, "x", spread, t->x);
    floats_fill(count, "dp", 1, t->dp);
    memcpy(t->p, t->x, count * sizeof *t->p);
    memcpy(t->ds, t->dp, count * sizeof *t->ds);
}

/* The largest error of column c, of what forward makes (in parts of the result) and of the gradient, if they should be
 * these. A row that is not seen has to be 0. */
static double column_error(struct columns *t, size_t c, bool back)
{
    size_t seen = t->first < t->n && t->first + c + 1 < t->n ? t->first + c + 1 : t->n;
    double top = -INFINITY, sum = 0, delta = 0, worst = 0;
    for (size_t j = 0; j < seen; j++)
        top = fmax(top, (double)t->x[j * t->width + c] * (double)t->scale);
    for (size_t j = 0; j < seen; j++)
        sum += exp((double)t->x[j * t->width + c] * (double)t->scale - top);
    for (size_t j = 0; j < seen; j++)
        delta += exp((double)t->x[j * t->width + c] * (double)t->scale - top) / sum * (double)t->dp[j * t->width + c];
    t->deltas[c] = (float)delta;
    for (size_t j = 0; j < t->n; j++) {
        size_t at = j * t->width + c;
        double want = j < seen ? exp((double)t->x[at] * (double)t->scale - top) / sum : 0, p = (double)t->p[at];
        double slope = (double)t->scale * want * ((double)t->dp[at] - delta);
        p *= back ? 1 : (double)t->inverse[c];
        worst = fmax(worst, j < seen ? fabs(p - want) / (want + 1e-30) : p == 0 ? 0 : INFINITY);
        if (back)
            worst = fmax(worst, j < seen ? fabs((double)t->ds[at] - slope) : t->ds[at] == 0 ? 0 : INFINITY);
    }
    return back ? worst : fmax(worst, fabs((double)t->logs[c] - top - log(sum)));
}

static void check_columns(size_t n, size_t width, size_t first, float scale, float spread)
{
    struct columns t;
    columns_init(&t, n, width, first, scale, spread);
    double bound = 1e-6 * (2 + (double)(scale * spread) + log((double)n));
    vector_softmax_columns(n, width, first, scale, t.p, t.inverse, t.logs);
    for (size_t c = 0; c < width; c++)
        CU_ASSERT(column_error(&t, c, false) <= bound);
    memcpy(t.p, t.x, n * width * sizeof *t.p);
    vector_softmax_columns_back(n, width, first, scale, t.logs, t.deltas, t.p, t.ds);
    for (size_t c = 0; c < width; c++)
        CU_ASSERT(column_error(&t, c, true) <= bound);
    memory_free(t.x);
}

static void softmax_of_columns_is_right(void)
{
    for (size_t n = 1; n <= LONGEST; n++)
        for (size_t first = 0; first <= n; first += 1 + n / 4) {
            check_columns(n, VECTOR_COLUMNS, first, 1, 4);
            check_columns(n, 2 * VECTOR_COLUMNS, first, 0.125f, 300);
        }
    check_columns(3000, VECTOR_COLUMNS, 2990, 1, 3);
}

/* A NaN that a column sees reaches all of it, and no other column; one that it does not see, nothing. */
static void columns_keep_nan_to_themselves(void)
{
    enum { N = 21, W = VECTOR_COLUMNS, FIRST = 6 };
    for (size_t bad = 0; bad < N; bad++)
        for (size_t c = 0; c < W; c++) {
            float x[N * W], inverse[W], logs[W];
            floats_fill(N * W, "x", 3, x);
            x[bad * W + c] = NAN;
            vector_softmax_columns(N, W, FIRST, 1, x, inverse, logs);
            for (size_t k = 0; k < W; k++)
                CU_ASSERT_EQUAL(isnan(inverse[k]) && isnan(logs[k]), k == c && bad <= FIRST + c);
        }
}

static void columns_are_summed_and_scaled_by_themselves(void)
{
    enum { N = 37, W = 2 * VECTOR_COLUMNS };
    float a[N * W], b[N * W], sums[W];
    floats_fill(N * W, "a", 2, a);
    floats_fill(N * W, "b", 2, b);
    vector_dot_columns(N, W, a, b, sums);
    for (size_t c = 0; c < W; c++) {
        float sum = 0;
        for (size_t j = 0; j < N;) {
            float part = 0; /* the order that the header promises */
            for (size_t end = j + 16 < N ? j + 16 : N; j < end; j++)
                part += a[j * W + c] * b[j * W + c];
            sum += part;
        }
        CU_ASSERT(float_same(sums[c], sum));
    }
    vector_scale_columns(N, W, sums, a);
    floats_fill(N * W, "a", 2, b);
    for (size_t i = 0; i < N * W; i++)
        CU_ASSERT(float_same(a[i], b[i] * sums[i % W]));
}

static size_t tables_here(const struct vector_table *tables[3])
{
    size_t count = 0;
#if CPU_X86
    if (cpu_isa() >= CPU_AVX512)
        tables[count++] = &vector_table_avx512;
    if (cpu_isa() >= CPU_AVX2)
        tables[count++] = &vector_table_avx2;
#endif
    tables[count++] = &vector_table_baseline;
    return count;
}

/* What the functions of columns make of n rows, in `out`, which has room for 2 n + 4 rows. */
static void run_columns(const struct vector_table *table, size_t n, size_t first, const float *x, float *out)
{
    enum { W = 2 * VECTOR_COLUMNS };
    float *p = out, *dp = out + n * W, *inverse = dp + n * W, *logs = inverse + W, *delta = logs + W;
    memcpy(p, x, 2 * n * W * sizeof *p);
    table->dot_columns(n, W, p, dp, delta);
    table->softmax_columns(n, W, first, 0.7f, p, inverse, logs);
    table->scale_columns(1, W, inverse, dp);
    table->softmax_columns_back(n, W, first, 0.3f, logs, delta, p, dp);
}

static void columns_have_the_same_bits(void)
{
    enum { W = 2 * VECTOR_COLUMNS };
    const struct vector_table *tables[3];
    size_t count = tables_here(tables);
    for (size_t n = 1; n <= LONGEST; n++) {
        float x[2 * LONGEST * W], want[(2 * LONGEST + 3) * W], got[(2 * LONGEST + 3) * W];
        floats_fill(2 * n * W, "x", 6, x);
        if (n % 4 == 3)
            x[n * W / 2] = NAN, x[n * W / 3] = -INFINITY;
        for (size_t first = 0; first <= n; first += 1 + n / 5) {
            run_columns(tables[0], n, first, x, want);
            for (size_t t = 1; t < count; t++) {
                run_columns(tables[t], n, first, x, got);
                CU_ASSERT(floats_same((2 * n + 3) * W, got, want));
            }
        }
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"softmax of columns and its gradient are right", softmax_of_columns_is_right},
        {"columns keep NaN to themselves", columns_keep_nan_to_themselves},
        {"columns are summed and scaled by themselves", columns_are_summed_and_scaled_by_themselves},
        {"the instruction sets give the same bits", columns_have_the_same_bits},
        {NULL, NULL},
    };
    return test_run("nn/vector_columns", cases);
}
