/* Functions of rows: sums, softmax, norms, and dropout by place. */
#include "base/memory.h"
#include "base/rng.h"
#include "nn/floats.h"
#include "nn/kernels/vector.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST = 67 }; /* all lengths up to here: several vectors and all remainders */

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
    floats_fill(5 * LONGEST, "x", 3, x);
    for (size_t n = 1; n <= LONGEST; n++) {
        CU_ASSERT(float_same(vector_sum(n, x), sum_of_lanes(n, x, NULL)));
        CU_ASSERT(float_same(vector_dot(n, x, x + n), sum_of_lanes(n, x, x + n)));
        vector_moments(n, x, &mean, &variance);
        double square = 0;
        for (size_t i = 0; i < n; i++)
            square += pow((double)(x[i] - mean), 2) / (double)n;
        CU_ASSERT(float_same(mean, sum_of_lanes(n, x, NULL) / (float)n));
        CU_ASSERT_DOUBLE_EQUAL((double)variance, square, 1e-6 * square);

        for (size_t rows = 0; rows <= 5; rows++) {
            memset(want, 0, sizeof want);
            for (size_t i = 0; i < rows * n; i++)
                want[i % n] += x[i];
            memset(sums, -1, sizeof sums);
            vector_sum_rows(rows, n, x, sums, 0);
            CU_ASSERT(floats_same(n, sums, want));
            vector_sum_rows(rows / 2, n, x, sums, 0);
            vector_sum_rows(rows - rows / 2, n, x + rows / 2 * n, sums, 1);
            CU_ASSERT(floats_same(n, sums, want));
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
    float *x = memory_need(2 * n, sizeof *x), *p = x + n;
    floats_fill(n, "x", spread, x);
    double top = -INFINITY, sum = 0, total = 0, worst = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, (double)x[i] * (double)scale);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)x[i] * (double)scale - top);
    float log_sum = vector_softmax(n, scale, x, p);
    for (size_t i = 0; i < n; i++) {
        double want = exp((double)x[i] * (double)scale - top) / sum;
        total += (double)p[i];
        worst = fmax(worst, fabs((double)p[i] - want) / (want + 1e-30));
    }
    double magnitude = 1 + (double)fabsf(scale * spread); /* the products are rounded before exp */
    CU_ASSERT_DOUBLE_EQUAL((double)log_sum, top + log(sum), 2e-7 * (magnitude + log((double)n)));
    CU_ASSERT_DOUBLE_EQUAL(total, 1, 3e-7 * (1 + sqrt((double)n / 16)));
    CU_ASSERT(worst <= 3e-7 * magnitude + 1e-6);
    vector_softmax(n, scale, x, x);
    CU_ASSERT(floats_same(n, x, p));
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
    floats_fill(ROWS * width, "x", 2, n->x);
    floats_fill(ROWS * width, "dy", 1, n->dy);
    floats_fill(width, "weight", 1, n->weight);
    floats_fill(width, "bias", 1, n->bias);
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
        CU_ASSERT(floats_same(n.rows * n.width, n.again, n.dx));
        vector_layer_norm_back(n.rows, n.width, n.x, n.weight, n.mean, n.r, n.dy, NULL, n.y, n.bias);
        CU_ASSERT(floats_same(n.width, n.y, n.dweight) && floats_same(n.width, n.bias, n.dbias));

        vector_rms_norm(n.rows, n.width, 1e-5f, n.x, n.weight, n.y, n.r);
        vector_rms_norm_back(n.rows, n.width, n.x, n.weight, n.r, n.dy, n.dx, n.dweight);
        CU_ASSERT(norm_error(&n, false) <= 1e-5);
        memcpy(n.again, n.dy, n.rows * n.width * sizeof *n.dy);
        vector_rms_norm_back(n.rows, n.width, n.x, n.weight, n.r, n.again, n.again, n.y);
        CU_ASSERT(floats_same(n.rows * n.width, n.again, n.dx) && floats_same(n.width, n.y, n.dweight));
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
    floats_fill(N, "x", 1, x);
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
                wrong += !float_same(y[k], keep ? x[k] * (65536 / (float)(65536 - threshold)) : 0);
            }
            CU_ASSERT_EQUAL(wrong, 0);
            CU_ASSERT_DOUBLE_EQUAL((double)kept / (double)n, 1 - rates[i], 0.1);
        }
    memcpy(y, x, sizeof x);
    float z[N];
    vector_dropout(N, key, 5, 0.3, x, z);
    vector_dropout(N, key, 5, 0.3, y, y);
    CU_ASSERT(floats_same(N, y, z));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"sums go in their order", sums_go_in_their_order},
        {"argmax is the first of the largest", argmax_is_the_first_of_the_largest},
        {"softmax is right", softmax_is_right},
        {"norms and their gradients are right", norms_and_their_gradients_are_right},
        {"dropout is Philox", dropout_is_philox},
        {NULL, NULL},
    };
    return test_run("nn/vector_rows", cases);
}
