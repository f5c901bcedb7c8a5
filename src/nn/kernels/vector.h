/* Loops over vectors: elementwise functions, rows of softmax and norms, and their gradients. One source (vector.inc),
 * compiled for AVX-512, AVX2 and the baseline; the machine picks.
 *
 * All three give the same bits: sums go over 16 lanes in a fixed order, nothing is fused (-ffp-contract=off), and exp,
 * log, tanh and erf are our own polynomials, so that the bits do not depend on the C library either. An element's bits
 * depend neither on its place nor on n. Error bounds were measured on every 17th float; ulp is the unit in the last
 * place of the exact result, results below 2^-118 not counted (tests/nn/test_vector.c measures again, more coarsely).
 * NaN in gives NaN out everywhere, so that a diverged step is seen; which NaN is not specified. */
#ifndef NN_KERNELS_VECTOR_H
#define NN_KERNELS_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* Local. y[i] = f(x[i]); y may be x.
 * exp: 0 below -87.33654, where results would be below 2^-126; infinity above 88.72283. log: of x > 0 (subnormals
 * included); log 0 is -infinity, of negatives NaN. gelu is x Phi(x) = x (1 + erf(x / sqrt 2)) / 2, gelu_tanh is
 * x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2; these two, below -1, are within 2^-17 and 2^-16 of the result.
 * x f(x) of -infinity (silu, gelu, gelu_tanh) is NaN. */
void vector_exp(size_t n, const float *x, float *y);       /* 1 ulp */
void vector_log(size_t n, const float *x, float *y);       /* 0.9 ulp */
void vector_tanh(size_t n, const float *x, float *y);      /* 1.5 ulp */
void vector_erf(size_t n, const float *x, float *y);       /* 1.4 ulp */
void vector_sigmoid(size_t n, const float *x, float *y);   /* 2.5 ulp; 1 / (1 + exp(-x)) */
void vector_silu(size_t n, const float *x, float *y);      /* 3 ulp; x sigmoid(x) */
void vector_gelu(size_t n, const float *x, float *y);      /* 3.5 ulp above -1 */
void vector_gelu_tanh(size_t n, const float *x, float *y); /* 3 ulp above -1 */

/* Local. dx[i] = dy[i] f'(x[i]), or from y = f(x) where that is enough; dx may be dy. f' is within 2.5e-7, absolute. */
void vector_tanh_back(size_t n, const float *y, const float *dy, float *dx);
void vector_sigmoid_back(size_t n, const float *y, const float *dy, float *dx);
void vector_silu_back(size_t n, const float *x, const float *dy, float *dx);

/* Local. y = f(x), the same bits as above, and slope = f'(x), within 2.5e-7, absolute, of which both take one exp. y
 * and slope may be x, but not both. */
void vector_gelu_slope(size_t n, const float *x, float *y, float *slope);
void vector_gelu_tanh_slope(size_t n, const float *x, float *y, float *slope);

/* Local. Elementwise sums and products of vectors. y may be a or b. */
void vector_add(size_t n, const float *a, const float *b, float *y);
void vector_multiply(size_t n, const float *a, const float *b, float *y);
void vector_scale(size_t n, float factor, const float *x, float *y);

/* Local. sums[c] = sum over rows of x[row, c], rows in order; overwritten, or if `adds` continued, so that a matrix may
 * come in tiles of rows. */
void vector_sum_rows(size_t rows, size_t width, const float *x, float *sums, int adds);

/* Local. Sums in a fixed order (16 lanes, then pairwise). */
float vector_sum(size_t n, const float *x);
float vector_dot(size_t n, const float *a, const float *b);

/* Local. The first index of the largest element; n >= 1. A NaN counts as largest, the first of several. */
size_t vector_argmax(size_t n, const float *x);

/* Local. p = softmax(scale * x), n >= 1, all NaN if all x are -infinity; p may be x. Returns
 * log(sum(exp(scale * x))). */
float vector_softmax(size_t n, float scale, const float *x, float *p);

/* Softmax of each column of x [n, width], and its gradient: the layout of attention, in which a column is a query and a
 * row a key. width is a multiple of VECTOR_COLUMNS, and scale > 0. Column c sees rows 0 to first + c, if first < n, and
 * all rows else: what it does not see is 0 in the result, and may have been anything finite. Sums over rows go by parts
 * of 16 rows, each from +0 in the order of the rows, and the parts are added in order. */
#define VECTOR_COLUMNS 16

/* Local. x becomes exp(scale * x - the largest of its column); inverse [width] is 1 / the sum of it, and log_sum
 * [width] is log(sum(exp(scale * x))). */
void vector_softmax_columns(size_t n, size_t width, size_t first, float scale, float *x, float *inverse,
                            float *log_sum);

/* Local. x becomes p = exp(scale * x - log_sum), the same softmax once more (to rounding), and dp [n, width], the
 * gradient with respect to p, that with respect to x: scale * p * (dp - delta), delta [width] being sum(p * dp). */
void vector_softmax_columns_back(size_t n, size_t width, size_t first, float scale, const float *log_sum,
                                 const float *delta, float *x, float *dp);

/* Local. sums [width]: of each column sum(a * b); a, b [n, width]. */
void vector_dot_columns(size_t n, size_t width, const float *a, const float *b, float *sums);

/* Local. Each column of x [n, width] times a factor of its own. */
void vector_scale_columns(size_t n, size_t width, const float *factors, float *x);

/* Local. Layer norm of each row: y = (x - mean) * r * weight + bias with r = 1 / sqrt(variance + epsilon), the variance
 * being that of the row (not the unbiased one), mean and variance by two passes. mean [rows] and r [rows] are kept for
 * backward. y may not be x. */
void vector_layer_norm(size_t rows, size_t width, float epsilon, const float *x, const float *weight, const float *bias,
                       float *y, float *mean, float *r);

/* Local. dx [rows, width] (may be dy, may be NULL), dweight [width] and dbias [width], overwritten, from dy. */
void vector_layer_norm_back(size_t rows, size_t width, const float *x, const float *weight, const float *mean,
                            const float *r, const float *dy, float *dx, float *dweight, float *dbias);

/* Local. RMS norm (B. Zhang, R. Sennrich, NeurIPS 2019, equation 4): y = x * r * weight, r = 1 / sqrt(mean(x^2) +
 * epsilon). */
void vector_rms_norm(size_t rows, size_t width, float epsilon, const float *x, const float *weight, float *y, float *r);
void vector_rms_norm_back(size_t rows, size_t width, const float *x, const float *weight, const float *r,
                          const float *dy, float *dx, float *dweight);

/* Local. Mean and variance (not unbiased) of n consecutive floats, by two passes, in the fixed order; for norms that
 * work on planes of an image. n >= 1. */
void vector_moments(size_t n, const float *x, float *mean, float *variance);

/* Local. y = x * a + b, elementwise with the same a and b. y may be x. */
void vector_affine(size_t n, float a, float b, const float *x, float *y);

/* Local. y = keep ? x / (1 - rate) : 0, where element i is kept with probability 1 - rate, a pure function of (key,
 * first + i): 16 bits of Philox4x32-10 (base/rng.h) decide, so that the rate, here and in 1 - rate, is rounded to a
 * multiple of 2^-16, and to less than 1. first is any number. Of the elements that are dropped, NaN and infinity become
 * NaN. y may be x. Backward is the same function of dy. */
void vector_dropout(size_t n, uint64_t key, uint64_t first, double rate, const float *x, float *y);

/* Local. The instruction set in use: "AVX-512", "AVX2", "baseline". Borrowed. */
const char *vector_describe(void);

#endif
