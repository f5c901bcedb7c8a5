#include "base/memory.h"
#include "base/rng.h"
#include "nn/kernels/vector.h"
#include "nn/kernels/vector_table.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 67 }; /* all lengths up to here: several vectors and all remainders */

/* Of the same bits; one NaN is as good as another. */
static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static bool all_same(size_t n, const float *a, const float *b)
{
    for (size_t i = 0; i < n; i++)
        if (!same(a[i], b[i]))
            return false;
    return true;
}

/* Uniform in [-spread, spread), a function of (purpose, index). */
static void fill(size_t n, const char *purpose, float spread, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = spread * (2 * rng_uniform(rng_key(1, purpose), i) - 1);
}

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

static const struct back {
    const char *name;
    void (*f)(size_t n, const float *x, const float *dy, float *dx);
    double (*reference)(double x);
    double range; /* of x; of y, where the derivative is made from y */
} backs[] = {
    {"tanh_back", vector_tanh_back, tanh_slope, 1},
    {"sigmoid_back", vector_sigmoid_back, sigmoid_slope, 1},
    {"silu_back", vector_silu_back, silu_slope, INFINITY},
    {"gelu_back", vector_gelu_back, gelu_slope, INFINITY},
    {"gelu_tanh_back", vector_gelu_tanh_back, gelu_tanh_slope, INFINITY},
};

enum { MAPS = sizeof maps / sizeof *maps, BACKS = sizeof backs / sizeof *backs, CHUNK = 4096 };

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
    CU_ASSERT(same(one(vector_exp, 0), 1) && same(one(vector_exp, -INFINITY), 0) && same(one(vector_exp, -88), 0));
    CU_ASSERT(same(one(vector_exp, INFINITY), INFINITY) && same(one(vector_exp, 89), INFINITY));
    CU_ASSERT(isfinite(one(vector_exp, 0x1.62e42ep+6f)) && one(vector_exp, -0x1.5d589ep+6f) >= 0x1p-126f);
    CU_ASSERT(same(one(vector_log, 0), -INFINITY) && same(one(vector_log, 1), 0) && isnan(one(vector_log, -1)));
    CU_ASSERT(same(one(vector_log, INFINITY), INFINITY) && isnan(one(vector_log, -INFINITY)));
    CU_ASSERT_DOUBLE_EQUAL((double)one(vector_log, 0x1p-149f), -149 * M_LN2, 1e-5);
    CU_ASSERT(same(one(vector_tanh, -0.0f), -0.0f) && same(one(vector_tanh, -INFINITY), -1));
    CU_ASSERT(same(one(vector_erf, -0.0f), -0.0f) && same(one(vector_erf, -INFINITY), -1));
    CU_ASSERT(same(one(vector_sigmoid, 0), 0.5f) && same(one(vector_sigmoid, -INFINITY), 0));
    CU_ASSERT(same(one(vector_gelu, INFINITY), INFINITY) && same(one(vector_gelu, 0), 0));
}

/* n elements at once, in place and not, against one by one; nothing behind them is written. */
static void an_element_does_not_depend_on_its_place(void)
{
    float x[LONGEST + 1], dy[LONGEST + 1], alone[LONGEST + 1], y[LONGEST + 1];
    fill(LONGEST + 1, "x", 3, x);
    fill(LONGEST + 1, "dy", 1, dy);
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
                right = right && all_same(n + 1, y, alone);
            }
        CU_ASSERT(right);
    }
}

/* ---- instruction sets ---- */

static size_t tables_here(const struct vector_table *tables[3])
{
    size_t count = 0;
#if VECTOR_X86
    if (__builtin_cpu_supports("x86-64-v4"))
        tables[count++] = &vector_table_avx512;
    if (__builtin_cpu_supports("x86-64-v3"))
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
        table->tanh_back, table->sigmoid_back, table->silu_back, table->gelu_back, table->gelu_tanh_back, table->add};
    for (size_t i = 0; i < sizeof map / sizeof *map; i++, out += n)
        map[i](n, a, out);
    for (size_t i = 0; i < sizeof map2 / sizeof *map2; i++, out += n)
        map2[i](n, a, b, out);
    table->scale(n, 1.7f, a, out), out += n;
    table->affine(n, 1.7f, 0.3f, a, out), out += n;
    table->sum_rows(3, n, x, out, 0), out += n;
    table->sum_rows(3, n, x, out - n, 1);
    *out++ = table->sum(n, a);
    *out++ = table->dot(n, a, b);
    *out++ = (float)table->argmax(n, a);
    *out = table->softmax(n, 0.7f, a, out + 1), out += n + 1;
    table->softmax_again(n, 0.7f, 2, a, out), out += n;
    table->softmax_back(n, 0.7f, 0.1f, a, b, out), out += n;
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
        fill(3 * n, "x", 6, x);
        if (n % 4 == 3)
            x[n / 2] = NAN, x[n / 3] = -INFINITY;
        run_all(tables[0], n, x, want);
        for (size_t t = 1; t < count; t++) {
            float *got = memory_need(room, sizeof *x);
            run_all(tables[t], n, x, got);
            CU_ASSERT(all_same(room, got, want));
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
    vector_softmax_again(n, 1, 0, x, y), lost += numbers(1, y + bad);
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
    fill(LONGEST, "a", 1, a);
    for (size_t n = 1; n <= LONGEST; n++)
        for (size_t bad = 0; bad < n; bad += 1 + n / 7) {
            fill(n, "x", 3, x);
            x[bad] = NAN;
            CU_ASSERT_EQUAL(lost_nans(n, x, a, bad), 0);
        }
}

/* ---- sums ---- */

/* The order that the header promises. */
static float sum_of_lanes(size_t n, const float *a, const float *b)
{
    float lanes[16] = {0};
    for (size_t i = 0; i < n; i++)
        lanes[i % 16] += b ? a[i] * b[i] : a[i];
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

static void sums_go_in_their_order(void)
{
    float x[5 * LONGEST], sums[LONGEST], want[LONGEST], mean, variance;
    fill(5 * LONGEST, "x", 3, x);
    for (size_t n = 1; n <= LONGEST; n++) {
        CU_ASSERT(same(vector_sum(n, x), sum_of_lanes(n, x, NULL)));
        CU_ASSERT(same(vector_dot(n, x, x + n), sum_of_lanes(n, x, x + n)));
        vector_moments(n, x, &mean, &variance);
        double square = 0;
        for (size_t i = 0; i < n; i++)
            square += pow((double)(x[i] - mean), 2) / (double)n;
        CU_ASSERT(same(mean, sum_of_lanes(n, x, NULL) / (float)n));
        CU_ASSERT_DOUBLE_EQUAL((double)variance, square, 1e-6 * square);

        for (size_t rows = 0; rows <= 5; rows++) {
            memset(want, 0, sizeof want);
            for (size_t i = 0; i < rows * n; i++)
                want[i % n] += x[i];
            memset(sums, -1, sizeof sums);
            vector_sum_rows(rows, n, x, sums, 0);
            CU_ASSERT(all_same(n, sums, want));
            vector_sum_rows(rows / 2, n, x, sums, 0);
            vector_sum_rows(rows - rows / 2, n, x + rows / 2 * n, sums, 1);
            CU_ASSERT(all_same(n, sums, want));
        }
    }
}

static void argmax_is_the_first_of_the_largest(void)
{
    float x[LONGEST];
    for (size_t n = 1; n <= LONGEST; n++) {
        for (size_t largest = 0; largest < n; largest++) {
            for (size_t i = 0; i < n; i++)
                x[i] = i == largest || i == largest + 1 || i == largest + 16 ? -1 : -2 - (float)(i % 3);
            CU_ASSERT_EQUAL(vector_argmax(n, x), largest);
        }
        for (size_t i = 0; i < n; i++)
            x[i] = -INFINITY;
        CU_ASSERT_EQUAL(vector_argmax(n, x), 0);
    }
}

/* ---- softmax ---- */

static void check_softmax(size_t n, float scale, float spread)
{
    float *x = memory_need(5 * n, sizeof *x), *p = x + n, *again = p + n, *dp = again + n, *ds = dp + n;
    fill(n, "x", spread, x);
    fill(n, "dp", 1, dp);
    double top = -INFINITY, sum = 0, total = 0, worst = 0, worst_again = 0, worst_back = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, (double)x[i] * (double)scale);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)x[i] * (double)scale - top);
    float log_sum = vector_softmax(n, scale, x, p), delta = vector_dot(n, p, dp);
    vector_softmax_again(n, scale, log_sum, x, again);
    vector_softmax_back(n, scale, delta, p, dp, ds);
    for (size_t i = 0; i < n; i++) {
        double want = exp((double)x[i] * (double)scale - top) / sum;
        double slope = (double)scale * (double)p[i] * ((double)dp[i] - (double)delta);
        total += (double)p[i];
        worst = fmax(worst, fabs((double)p[i] - want) / (want + 1e-30));
        worst_again = fmax(worst_again, fabs((double)again[i] - want) / (want + 1e-30));
        worst_back = fmax(worst_back, fabs((double)ds[i] - slope));
    }
    double magnitude = 1 + (double)fabsf(scale * spread); /* the products are rounded before exp */
    CU_ASSERT_DOUBLE_EQUAL((double)log_sum, top + log(sum), 2e-7 * (magnitude + log((double)n)));
    CU_ASSERT_DOUBLE_EQUAL(total, 1, 3e-7 * (1 + sqrt((double)n / 16)));
    CU_ASSERT(worst <= 3e-7 * magnitude + 1e-6 && worst_again <= 5e-7 * (magnitude + log((double)n)) + 1e-6);
    CU_ASSERT(worst_back <= 1e-6 * (double)fabsf(scale));
    vector_softmax(n, scale, x, x);
    CU_ASSERT(all_same(n, x, p));
    memory_free(x);
}

static void softmax_is_right(void)
{
    for (size_t n = 1; n <= LONGEST; n++) {
        check_softmax(n, 1, 4);
        check_softmax(n, 0.125f, 300);
        check_softmax(n, -1, 2);
    }
    check_softmax(256, 0.125f, 50);
    check_softmax(50000, 1, 10);
    float masked[3] = {1, -INFINITY, 1}, far[2] = {1e30f, -1e30f};
    vector_softmax(3, 1, masked, masked);
    CU_ASSERT(masked[0] == 0.5f && masked[1] == 0 && masked[2] == 0.5f);
    vector_softmax(2, 1, far, far);
    CU_ASSERT(far[0] == 1 && far[1] == 0);
}

/* ---- norms ---- */

struct norm {
    size_t rows, width;
    float *x, *dy, *y, *dx, *again;                    /* [rows, width] */
    float *weight, *bias, *dweight, *dbias, *mean, *r; /* [width]; mean, r [rows] */
};

enum { ROWS = 5 };

static void norm_init(struct norm *n, size_t width)
{
    float *memory = memory_need(5 * ROWS * width + 4 * width + 2 * ROWS, sizeof *memory);
    *n = (struct norm){.rows = ROWS, .width = width, .x = memory};
    float **parts[] = {&n->x,    &n->dy,      &n->y,     &n->dx,   &n->again, &n->weight,
                       &n->bias, &n->dweight, &n->dbias, &n->mean, &n->r};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i] = memory;
        memory += i < 5 ? ROWS * width : i < 9 ? width : ROWS;
    }
    fill(ROWS * width, "x", 2, n->x);
    fill(ROWS * width, "dy", 1, n->dy);
    fill(width, "weight", 1, n->weight);
    fill(width, "bias", 1, n->bias);
    for (size_t i = 0; i < ROWS * width; i++)
        n->x[i] += 3; /* a mean that is not small */
}

/* The largest difference of y, dx, dweight and dbias from those in double; RMS norm is without centre and bias. */
static double norm_error(const struct norm *n, bool centred)
{
    double worst = 0, width = (double)n->width;
    double *dweight = memory_need(2 * n->width, sizeof *dweight), *dbias = dweight + n->width;
    memset(dweight, 0, 2 * n->width * sizeof *dweight);
    for (size_t row = 0; row < n->rows; row++) {
        const float *x = n->x + row * n->width, *dy = n->dy + row * n->width;
        double mean = 0, variance = 0, sum = 0, product = 0;
        for (size_t c = 0; centred && c < n->width; c++)
            mean += (double)x[c] / width;
        for (size_t c = 0; c < n->width; c++)
            variance += ((double)x[c] - mean) * ((double)x[c] - mean) / width;
        double r = 1 / sqrt(variance + 1e-5);
        for (size_t c = 0; c < n->width; c++) {
            double normal = ((double)x[c] - mean) * r, g = (double)dy[c] * (double)n->weight[c];
            double y = normal * (double)n->weight[c] + (centred ? (double)n->bias[c] : 0);
            worst = fmax(worst, fabs(y - (double)n->y[row * n->width + c]));
            sum += centred ? g / width : 0;
            product += g * normal / width;
            dweight[c] += (double)dy[c] * normal;
            dbias[c] += (double)dy[c];
        }
        for (size_t c = 0; c < n->width; c++) {
            double normal = ((double)x[c] - mean) * r, g = (double)dy[c] * (double)n->weight[c];
            worst = fmax(worst,
                         fabs(r * (g - sum - normal * product) - (double)n->dx[row * n->width + c]) / fmax(r, 1));
        }
    }
    for (size_t c = 0; c < n->width; c++) {
        worst = fmax(worst, fabs(dweight[c] - (double)n->dweight[c]));
        worst = fmax(worst, centred ? fabs(dbias[c] - (double)n->dbias[c]) : 0);
    }
    memory_free(dweight);
    return worst;
}

static void norms_and_their_gradients_are_right(void)
{
    static const size_t widths[] = {1, 2, 7, 15, 16, 17, 31, 33, 100, 384, 4096};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct norm n;
        norm_init(&n, widths[i]);
        vector_layer_norm(n.rows, n.width, 1e-5f, n.x, n.weight, n.bias, n.y, n.mean, n.r);
        vector_layer_norm_back(n.rows, n.width, n.x, n.weight, n.mean, n.r, n.dy, n.dx, n.dweight, n.dbias);
        CU_ASSERT(norm_error(&n, true) <= 1e-5);
        memcpy(n.again, n.dy, n.rows * n.width * sizeof *n.dy);
        vector_layer_norm_back(n.rows, n.width, n.x, n.weight, n.mean, n.r, n.again, n.again, n.y, n.bias);
        CU_ASSERT(all_same(n.rows * n.width, n.again, n.dx));
        vector_layer_norm_back(n.rows, n.width, n.x, n.weight, n.mean, n.r, n.dy, NULL, n.y, n.bias);
        CU_ASSERT(all_same(n.width, n.y, n.dweight) && all_same(n.width, n.bias, n.dbias));

        vector_rms_norm(n.rows, n.width, 1e-5f, n.x, n.weight, n.y, n.r);
        vector_rms_norm_back(n.rows, n.width, n.x, n.weight, n.r, n.dy, n.dx, n.dweight);
        CU_ASSERT(norm_error(&n, false) <= 1e-5);
        memcpy(n.again, n.dy, n.rows * n.width * sizeof *n.dy);
        vector_rms_norm_back(n.rows, n.width, n.x, n.weight, n.r, n.again, n.again, n.y);
        CU_ASSERT(all_same(n.rows * n.width, n.again, n.dx) && all_same(n.width, n.y, n.dweight));
        memory_free(n.x);
    }
}

/* ---- dropout ---- */

static void dropout_is_philox(void)
{
    static const uint64_t firsts[] = {0, 1, 7, 8, 100, 127, 128, 0xFFFFFFFF0, 0x7FFFFFFFC1, UINT64_MAX - 9};
    static const double rates[] = {0, 0.1, 0.5, 0.999, 1};
    enum { N = 700 };
    float x[N], y[N];
    fill(N, "x", 1, x);
    uint64_t key = rng_key(3, "dropout");
    for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++)
        for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
            size_t n = N - 13 * f, kept = 0, wrong = 0;
            vector_dropout(n, key, firsts[f], rates[i], x, y);
            for (size_t k = 0; k < n; k++) {
                uint64_t e = firsts[f] + k;
                uint32_t words[4];
                rng_words(key, e / 8, 0, words);
                uint32_t piece = words[e % 8 / 2] >> 16 * (e % 2) & 0xFFFF;
                long threshold = lround(rates[i] * 65536) < 65535 ? lround(rates[i] * 65536) : 65535;
                bool keep = piece >= (uint32_t)threshold;
                kept += keep;
                wrong += !same(y[k], keep ? x[k] * (65536 / (float)(65536 - threshold)) : 0);
            }
            CU_ASSERT_EQUAL(wrong, 0);
            CU_ASSERT_DOUBLE_EQUAL((double)kept / (double)n, 1 - rates[i], 0.1);
        }
    memcpy(y, x, sizeof x);
    float z[N];
    vector_dropout(N, key, 5, 0.3, x, z);
    vector_dropout(N, key, 5, 0.3, y, y);
    CU_ASSERT(all_same(N, y, z));
}

static void sums_and_products_are_right(void)
{
    float a[LONGEST], b[LONGEST], sum[LONGEST], scaled[LONGEST], affine[LONGEST];
    fill(LONGEST, "a", 3, a);
    fill(LONGEST, "b", 3, b);
    vector_add(LONGEST, a, b, sum);
    vector_scale(LONGEST, 0.3f, a, scaled);
    vector_affine(LONGEST, 0.3f, 0.7f, a, affine);
    int wrong = 0;
    for (size_t i = 0; i < LONGEST; i++) {
        float product = a[i] * 0.3f;
        wrong += !same(sum[i], a[i] + b[i]) + !same(scaled[i], product) + !same(affine[i], product + 0.7f);
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
        {"NaN in is NaN out", nan_in_is_nan_out},
        {"sums and products of vectors are right", sums_and_products_are_right},
        {"sums go in their order", sums_go_in_their_order},
        {"argmax is the first of the largest", argmax_is_the_first_of_the_largest},
        {"softmax is right", softmax_is_right},
        {"norms and their gradients are right", norms_and_their_gradients_are_right},
        {"dropout is Philox", dropout_is_philox},
        {NULL, NULL},
    };
    return test_run("nn/vector", cases);
}
