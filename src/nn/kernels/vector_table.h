/* The functions of vector.h as a table, one for each instruction set: what vector.c picks from, and what the tests
 * compare. Private to these. */
#ifndef NN_KERNELS_VECTOR_TABLE_H
#define NN_KERNELS_VECTOR_TABLE_H

#include "nn/kernels/cpu.h"

#include <stddef.h>
#include <stdint.h>

#define VECTOR_MAP(ROW, name)   ROW(void, name, (size_t n, const float *x, float *y), (n, x, y))
#define VECTOR_MAP2(ROW, name)  ROW(void, name, (size_t n, const float *a, const float *b, float *y), (n, a, b, y))
#define VECTOR_SLOPE(ROW, name) ROW(void, name, (size_t n, const float *x, float *y, float *slope), (n, x, y, slope))

/* clang-format off */
#define VECTOR_FUNCTIONS(ROW) /* result, vector_NAME, parameters, arguments */ \
    VECTOR_MAP(ROW, exp) \
    VECTOR_MAP(ROW, log) \
    VECTOR_MAP(ROW, tanh) \
    VECTOR_MAP(ROW, erf) \
    VECTOR_MAP(ROW, sigmoid) \
    VECTOR_MAP(ROW, silu) \
    VECTOR_MAP(ROW, gelu) \
    VECTOR_MAP(ROW, gelu_tanh) \
    VECTOR_MAP2(ROW, tanh_back) \
    VECTOR_MAP2(ROW, sigmoid_back) \
    VECTOR_MAP2(ROW, silu_back) \
    VECTOR_SLOPE(ROW, gelu_slope) \
    VECTOR_SLOPE(ROW, gelu_tanh_slope) \
    VECTOR_MAP2(ROW, add) \
    VECTOR_MAP2(ROW, multiply) \
    ROW(void, scale, (size_t n, float factor, const float *x, float *y), (n, factor, x, y)) \
    ROW(void, sum_rows, (size_t rows, size_t width, const float *x, float *sums, int adds), \
        (rows, width, x, sums, adds)) \
    ROW(float, sum, (size_t n, const float *x), (n, x)) \
    ROW(float, dot, (size_t n, const float *a, const float *b), (n, a, b)) \
    ROW(size_t, argmax, (size_t n, const float *x), (n, x)) \
    ROW(float, softmax, (size_t n, float scale, const float *x, float *p), (n, scale, x, p)) \
    ROW(void, softmax_columns, (size_t n, size_t width, size_t first, float scale, float *x, float *inverse, \
                                float *log_sum), \
        (n, width, first, scale, x, inverse, log_sum)) \
    ROW(void, softmax_columns_back, (size_t n, size_t width, size_t first, float scale, const float *log_sum, \
                                     const float *delta, float *x, float *dp), \
        (n, width, first, scale, log_sum, delta, x, dp)) \
    ROW(void, dot_columns, (size_t n, size_t width, const float *a, const float *b, float *sums), \
        (n, width, a, b, sums)) \
    ROW(void, scale_columns, (size_t n, size_t width, const float *factors, float *x), (n, width, factors, x)) \
    ROW(void, layer_norm, (size_t rows, size_t width, float epsilon, const float *x, const float *weight, \
                           const float *bias, float *y, float *mean, float *r), \
        (rows, width, epsilon, x, weight, bias, y, mean, r)) \
    ROW(void, layer_norm_back, (size_t rows, size_t width, const float *x, const float *weight, const float *mean, \
                                const float *r, const float *dy, float *dx, float *dweight, float *dbias), \
        (rows, width, x, weight, mean, r, dy, dx, dweight, dbias)) \
    ROW(void, rms_norm, (size_t rows, size_t width, float epsilon, const float *x, const float *weight, float *y, \
                         float *r), \
        (rows, width, epsilon, x, weight, y, r)) \
    ROW(void, rms_norm_back, (size_t rows, size_t width, const float *x, const float *weight, const float *r, \
                              const float *dy, float *dx, float *dweight), \
        (rows, width, x, weight, r, dy, dx, dweight)) \
    ROW(void, moments, (size_t n, const float *x, float *mean, float *variance), (n, x, mean, variance)) \
    ROW(void, affine, (size_t n, float a, float b, const float *x, float *y), (n, a, b, x, y)) \
    ROW(void, dropout, (size_t n, uint64_t key, uint64_t first, double rate, const float *x, float *y), \
        (n, key, first, rate, x, y))
/* clang-format on */

#define VECTOR_MEMBER(type, name, parameters, arguments) type(*name) parameters;
struct vector_table {
    const char *name; /* as vector_describe says it */
    VECTOR_FUNCTIONS(VECTOR_MEMBER)
};

extern const struct vector_table vector_table_baseline;
#if CPU_X86
extern const struct vector_table vector_table_avx512, vector_table_avx2;
#endif

#endif
