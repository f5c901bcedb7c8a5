/* Functions of elements, each for itself; and what holds for all of the kernels. */
#include "base/memory.h"
#include "nn/floats.h"
#include "nn/kernels/vector.h"
#include "nn/kernels/vector_table.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 67 }; /* all lengths up to here: several vectors and all remainders */

/* ---- references in double ---- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double silu(double x)
{
    return x * sigmoid(x);
}

static double silu_slope(double x)
{
    return sigmoid(x) * (1 + x * sigmoid(-x));
}

static double gelu(double x)
{
    return x * erfc(-x * M_SQRT1_2) / 2;
}

static double gelu_slope(double x)
{
    return erfc(-x * M_SQRT1_2) / 2 + x * exp(-x * x / 2) / sqrt(2 * M_PI);
}

static double gelu_tanh(double x)
{
    return x * sigmoid(2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
}

static double gelu_tanh_slope(double x)
{
    double u = 2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    double steep = fabs(x) < 100 ? x * sigmoid(-u) * 2 * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x) : 0;
    return sigmoid(u) * (1 + steep);
}

static double tanh_slope(double y)
{
    return 1 - y * y;
}

static double sigmoid_slope(double y)
{
    return y * (1 - y);
}

/* ---- elementwise functions ---- */

enum { CHUNK = 4096 };

static const struct map {
    const char *name;
    void (*f)(size_t n, const float *x, float *y);
    double (*reference)(double x);
    double ulps; /* the header's bound, for x > above */
    double above;
    double relative; /* of all x whose result is at least 2^-118 */
} maps[] = {
    {"exp", vector_exp, exp, 1, -INFINITY, 1},
    {"log", vector_log, log, 0.9, -INFINITY, 1},
    {"tanh", vector_tanh, tanh, 1.5, -INFINITY, 1},
    {"erf", vector_erf, erf, 1.4, -INFINITY, 1},
    {"sigmoid", vector_sigmoid, sigmoid, 2.5, -INFINITY, 1},
    {"silu", vector_silu, silu, 3, -INFINITY, 1},
    {"gelu", vector_gelu, gelu, 3.5, -1, 0x1p-17},
    {"gelu_tanh", vector_gelu_tanh, gelu_tanh, 3, -1, 0x1p-16},
};

/* dx as the layer makes it. */
static void gelu_back(size_t n, const float *x, const float *dy, float *dx)
{
    float y[CHUNK], slope[CHUNK];
    vector_gelu_slope(n, x, y, slope);
    vector_multiply(n, dy, slope, dx);
}

static void gelu_tanh_back(size_t n, const float *x, const float *dy, float *dx)
{
    float y[CHUNK], slope[CHUNK];
    vector_gelu_tanh_slope(n, x, y, slope);
    vector_multiply(n, dy, slope, dx);
}

static const struct back {
    const char *name;
    void (*f)(size_t n, const float *x, const float *dy, float *dx);
    double (*reference)(double x);
    double range; /* of x; of y, where the derivative is made from y */
} backs[] = {
    {"tanh_back", vector_tanh_back, tanh_slope, 1},
    {"sigmoid_back", vector_sigmoid_back, sigmoid_slope, 1},
    {"silu_back", vector_silu_back, silu_slope, INFINITY},
    {"gelu_slope", gelu_back, gelu_slope, INFINITY},
    {"gelu_tanh_slope", gelu_tanh_back, gelu_tanh_slope, INFINITY},
};

enum { MAPS = sizeof maps / sizeof *maps, BACKS = sizeof backs / sizeof *backs };

/* The next floats of a walk through all bit patterns in steps of 1021, which is prime; false at the end. */
static bool next_floats(uint64_t *bits, float x[CHUNK])
{
    for (size_t i = 0; i < CHUNK; i++, *bits += 1021) {
        uint32_t pattern = *bits >> 32 ? 0 : (uint32_t)*bits;
        memcpy(x + i, &pattern, sizeof pattern);
    }
    return *bits >> 32 == 0;
}

/* Whether y is right for x, as the map's bounds say; the largest error in ulp into *worst. */
static bool map_is_right(const struct map *map, float x, float y, double *worst)
{
    double exact = map->reference((double)x), error = fabs((double)y - exact);
    if (isnan(exact) || (isinf(x) && x < 0)) /* x f(x) may be NaN there */
        return isnan(x) ? isnan(y) : isnan(y) || (double)y == exact;
    if (isinf(y) || isinf((float)exact))
        return y == (float)exact;
    if (fabs(exact) < 0x1p-118)
        return error <= 0x1p-117;
    int exponent;
    frexp(exact, &exponent);
    double ulps = ldexp(error, 24 - exponent);
    if ((double)x > map->above)
        *worst = fmax(*worst, ulps);
    return error <= map->relative * fabs(exact) && (ulps <= map->ulps || (double)x <= map->above);
}

static void errors_are_within_bounds(void)
{
    static float x[CHUNK], y[CHUNK];
    for (size_t m = 0; m < MAPS; m++) {
        double worst = 0;
        size_t wrong = 0;
        uint64_t bits = 0;
        for (bool more = true; more;) {
            more = next_floats(&bits, x);
            maps[m].f(CHUNK, x, y);
            for (size_t i = 0; i < CHUNK; i++)
                wrong += !map_is_right(&maps[m], x[i], y[i], &worst);
        }
        printf("    %s: %.3f ulp\n", maps[m].name, worst);
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT(worst > 0.5); /* something was measured: no function is always rounded right */
    }
}

static void derivatives_are_within_bounds(void)
{
    static float x[CHUNK], one[CHUNK], dx[CHUNK];
    for (size_t i = 0; i < CHUNK; i++)
        one[i] = 1;
    for (size_t b = 0; b < BACKS; b++) {
        double worst = 0;
        uint64_t bits = 0;
        for (bool more = true; more;) {
            more = next_floats(&bits, x);
            backs[b].f(CHUNK, x, one, dx);
            for (size_t i = 0; i < CHUNK; i++)
                if (isfinite(x[i]) && fabs((double)x[i]) <= backs[b].range)
                    worst = fmax(worst, fabs((double)dx[i] - backs[b].reference((double)x[i])) +
                                            (isnan(dx[i]) ? INFINITY : 0));
        }
        printf("    %s: %.3g\n", backs[b].name, worst);
        CU_ASSERT(worst > 0 && worst <= 2.5e-7);
    }
}

static float one(void (*f)(size_t n, const float *x, float *y), float x)
{
    float y;
    f(1, &x, &y);
    return y;
}

static void special_values_are_exact(void)
{
    CU_ASSERT(float_same(one(vector_exp, 0), 1) && float_same(one(vector_exp, -INFINITY), 0) &&
              float_same(one(vector_exp, -88), 0));
    CU_ASSERT(float_same(one(vector_exp, INFINITY), INFINITY) && float_same(one(vector_exp, 89), INFINITY));
    CU_ASSERT(isfinite(one(vector_exp, 0x1.62e42ep+6f)) && one(vector_exp, -0x1.5d589ep+6f) >= 0x1p-126f);
    CU_ASSERT(float_same(one(vector_log, 0), -INFINITY) && float_same(one(vector_log, 1), 0) &&
              isnan(one(vector_log, -1)));
    CU_ASSERT(float_same(one(vector_log, INFINITY), INFINITY) && isnan(one(vector_log, -INFINITY)));
    CU_ASSERT_DOUBLE_EQUAL((double)one(vector_log, 0x1p-149f), -149 * M_LN2, 1e-5);
    CU_ASSERT(float_same(one(vector_tanh, -0.0f), -0.0f) && float_same(one(vector_tanh, -INFINITY), -1));
    CU_ASSERT(float_same(one(vector_erf, -0.0f), -0.0f) && float_same(one(vector_erf, -INFINITY), -1));
    CU_ASSERT(float_same(one(vector_sigmoid, 0), 0.5f) && float_same(one(vector_sigmoid, -INFINITY), 0));
    CU_ASSERT(float_same(one(vector_gelu, INFINITY), INFINITY) && float_same(one(vector_gelu, 0), 0));
}

/* n elements at once, in place and not, against one by one; nothing behind them is written. */
static void an_element_does_not_depend_on_its_place(void)
{
    float x[LONGEST + 1], dy[LONGEST + 1], alone[LONGEST + 1], y[LONGEST + 1];
    floats_fill(LONGEST + 1, "x", 3, x);
    floats_fill(LONGEST + 1, "dy", 1, dy);
    for (size_t n = 0; n <= LONGEST; n++) {
        bool right = true;
        alone[n] = 7;
        for (size_t f = 0; f < MAPS + BACKS; f++)
            for (int in_place = 0; in_place <= 1; in_place++) {
                const struct back *back = f < MAPS ? NULL : &backs[f - MAPS];
                for (size_t i = 0; i < n; i++)
                    back ? back->f(1, x + i, dy + i, alone + i) : maps[f].f(1, x + i, alone + i);
                memcpy(y, back ? dy : x, sizeof y);
                y[n] = 7;
                back ? back->f(n, x, in_place ? y : dy, y) : maps[f].f(n, in_place ? y : x, y);
                right = right && floats_same(n + 1, y, alone);
            }
        CU_ASSERT(right);
    }
}

/* ---- instruction sets ---- */

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

/* What all functions make of n floats, one behind the other in `out`, which has room for 64 n + 64. */
static void run_all(const struct vector_table *table, size_t n, const float *x, float *out)
{
    const float *a = x, *b = x + n, *c = x + 2 * n;
    void (*const map[])(size_t, const float *, float *) = {table->exp,     table->log,  table->tanh, table->erf,
                                                           table->sigmoid, table->silu, table->gelu, table->gelu_tanh};
    void (*const map2[])(size_t, const float *, const float *, float *) = {
        table->tanh_back, table->sigmoid_back, table->silu_back, table->add, table->multiply};
    void (*const slope[])(size_t, const float *, float *, float *) = {table->gelu_slope, table->gelu_tanh_slope};
    for (size_t i = 0; i < sizeof map / sizeof *map; i++, out += n)
        map[i](n, a, out);
    for (size_t i = 0; i < sizeof map2 / sizeof *map2; i++, out += n)
        map2[i](n, a, b, out);
    for (size_t i = 0; i < sizeof slope / sizeof *slope; i++, out += 2 * n)
        slope[i](n, a, out, out + n);
    table->scale(n, 1.7f, a, out), out += n;
    table->affine(n, 1.7f, 0.3f, a, out), out += n;
    table->sum_rows(3, n, x, out, 0), out += n;
    table->sum_rows(3, n, x, out - n, 1);
    *out++ = table->sum(n, a);
    *out++ = table->dot(n, a, b);
    *out++ = (float)table->argmax(n, a);
    *out = table->softmax(n, 0.7f, a, out + 1), out += n + 1;
    table->moments(n, a, out, out + 1), out += 2;
    float *y = out, *mean = y + 3 * n, *r = mean + 3, *dx = r + 3, *dweight = dx + 3 * n, *dbias = dweight + n;
    table->layer_norm(3, n, 1e-5f, x, b, c, y, mean, r);
    table->layer_norm_back(3, n, x, c, mean, r, y, dx, dweight, dbias);
    y = dbias + n, r = y + 3 * n, dx = r + 3, dweight = dx + 3 * n;
    table->rms_norm(3, n, 1e-5f, x, b, y, r);
    table->rms_norm_back(3, n, x, c, r, y, dx, dweight);
    table->dropout(3 * n, 5, n, 0.4, x, dweight + n);
}

static void instruction_sets_give_the_same_bits(void)
{
    static const size_t lengths[] = {128, 384, 1000, 4096};
    const struct vector_table *tables[3];
    size_t count = tables_here(tables);
    printf("    %zu here\n", count);
    for (size_t l = 1; l <= LONGEST + 4; l++) {
        size_t n = l <= LONGEST ? l : lengths[l - LONGEST - 1], room = 64 * n + 64;
        float *x = memory_need(3 * n, sizeof *x), *want = memory_need(room, sizeof *x);
        floats_fill(3 * n, "x", 6, x);
        if (n % 4 == 3)
            x[n / 2] = NAN, x[n / 3] = -INFINITY;
        run_all(tables[0], n, x, want);
        for (size_t t = 1; t < count; t++) {
            float *got = memory_need(room, sizeof *x);
            run_all(tables[t], n, x, got);
            CU_ASSERT(floats_same(room, got, want));
            memory_free(got);
        }
        CU_ASSERT_STRING_EQUAL(vector_describe(), tables[0]->name);
        memory_free(x);
        memory_free(want);
    }
}

/* ---- NaN ---- */

static int numbers(size_t n, const float *y)
{
    int count = 0;
    for (size_t i = 0; i < n; i++)
        count += !isnan(y[i]);
    return count;
}

/* x [n] has a NaN in place `bad`, a [n] has none. How often it is not where it should be afterwards. */
static int lost_nans(size_t n, const float *x, const float *a, size_t bad)
{
    float y[LONGEST], dweight[LONGEST], dbias[LONGEST], mean, r;
    const float zero = 0, unit = 1;
    int lost = vector_argmax(n, x) != bad;
    for (size_t m = 0; m < MAPS; m++)
        maps[m].f(n, x, y), lost += numbers(1, y + bad);
    for (size_t b = 0; b < BACKS; b++) {
        backs[b].f(n, x, a, y), lost += numbers(1, y + bad);
        backs[b].f(n, a, x, y), lost += numbers(1, y + bad);
    }
    vector_dropout(n, 1, 0, 0.9, x, y), lost += numbers(1, y + bad);
    lost += !isnan(vector_sum(n, x)) + !isnan(vector_dot(n, a, x)) + !isnan(vector_softmax(n, 1, x, y));
    lost += numbers(n, y);
    vector_layer_norm(1, n, 1e-5f, x, a, a, y, &mean, &r), lost += numbers(n, y);
    vector_layer_norm_back(1, n, a, a, &zero, &unit, x, y, dweight, dbias), lost += numbers(n, y);
    lost += numbers(1, dweight + bad) + numbers(1, dbias + bad);
    vector_rms_norm(1, n, 1e-5f, x, a, y, &r), lost += numbers(n, y);
    vector_rms_norm_back(1, n, a, a, &unit, x, y, dweight), lost += numbers(n, y) + numbers(1, dweight + bad);
    return lost;
}

static void nan_in_is_nan_out(void)
{
    float x[LONGEST], a[LONGEST];
    floats_fill(LONGEST, "a", 1, a);
    for (size_t n = 1; n <= LONGEST; n++)
        for (size_t bad = 0; bad < n; bad += 1 + n / 7) {
            floats_fill(n, "x", 3, x);
            x[bad] = NAN;
            CU_ASSERT_EQUAL(lost_nans(n, x, a, bad), 0);
        }
}

/* ---- sums and products of elements ---- */

static void sums_and_products_are_right(void)
{
    float a[LONGEST], b[LONGEST], sum[LONGEST], product[LONGEST], scaled[LONGEST], affine[LONGEST];
    floats_fill(LONGEST, "a", 3, a);
    floats_fill(LONGEST, "b", 3, b);
    vector_add(LONGEST, a, b, sum);
    vector_multiply(LONGEST, a, b, product);
    vector_scale(LONGEST, 0.3f, a, scaled);
    vector_affine(LONGEST, 0.3f, 0.7f, a, affine);
    int wrong = 0;
    for (size_t i = 0; i < LONGEST; i++) {
        float third = a[i] * 0.3f;
        wrong += !float_same(sum[i], a[i] + b[i]) + !float_same(product[i], a[i] * b[i]) +
                 !float_same(scaled[i], third) + !float_same(affine[i], third + 0.7f);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void a_function_with_its_slope_is_the_same_function(void)
{
    static float x[CHUNK], want[CHUNK], y[CHUNK], slope[CHUNK];
    int wrong = 0;
    for (uint64_t bits = 0; next_floats(&bits, x);) {
        vector_gelu(CHUNK, x, want);
        vector_gelu_slope(CHUNK, x, y, slope);
        wrong += !floats_same(CHUNK, y, want);
        vector_gelu_tanh(CHUNK, x, want);
        vector_gelu_tanh_slope(CHUNK, x, y, slope);
        wrong += !floats_same(CHUNK, y, want);
        vector_gelu_tanh_slope(CHUNK, x, x, y); /* in place */
        wrong += !floats_same(CHUNK, x, want) + !floats_same(CHUNK, y, slope);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"errors are within the header's bounds", errors_are_within_bounds},
        {"derivatives are within the header's bounds", derivatives_are_within_bounds},
        {"special values are exact", special_values_are_exact},
        {"an element does not depend on its place", an_element_does_not_depend_on_its_place},
        {"the instruction sets give the same bits", instruction_sets_give_the_same_bits},
        {"a function with its slope is the same function", a_function_with_its_slope_is_the_same_function},
        {"NaN in is NaN out", nan_in_is_nan_out},
        {"sums and products of vectors are right", sums_and_products_are_right},
        {NULL, NULL},
    };
    return test_run("nn/vector", cases);
}
