/* Two-dimensional convolutions (cross-correlations, as everywhere), [C, H, W] -> [O, Y, X]: where their kernels stand,
 * and how they are made of products: of the filters with the values under each place of the kernel as columns of a
 * matrix (im2col; K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document
 * processing", IWFHR 2006, section 3).
 *
 * The columns are made by tiles: some rows of one sample's output if images are large, several samples if they are
 * small, so that they stay in the cache and the product is wide enough for BLAS.
 *
 * Letters: M samples; C, H, W channels, height and width of the input; O filters; Y, X height and width of the output;
 * k side of the kernel; K = C k k values under the kernel. */
#ifndef NN_KERNELS_CONVOLUTION_H
#define NN_KERNELS_CONVOLUTION_H

#include "nn/kernels/compute.h"

#include <stddef.h>

struct convolution {
    size_t M; /* samples of one call, at most */
    size_t C, H, W, O, Y, X, k, K, stride;
    size_t top, left; /* zeros before the first row and column */
};

/* Local. What the weight at (down, right) of a filter sees of one plane [H, W], for R rows of the output from `row` on:
 * values [R, X]; and the reverse, which adds values, and spoils them, to the plane. For convolutions of more sides. */
void convolution_gather(const struct convolution *convolution, size_t row, size_t R, size_t down, size_t right,
                        const float *plane, float *values);
void convolution_scatter(const struct convolution *convolution, size_t row, size_t R, size_t down, size_t right,
                         float *values, float *plane);

/* Local. The convolutions of struct compute, for one that has only products: they are made with these. */
size_t convolution_scratch(const struct compute *compute, const struct convolution *convolution);
void convolution_forward(const struct compute *compute, const struct convolution *convolution, size_t M, const float *x,
                         struct matrix weight, const float *bias, float *scratch, float *y);
void convolution_dweight(const struct compute *compute, const struct convolution *convolution, size_t M, const float *x,
                         const float *dy, float *scratch, float *dweight, float *dbias);
void convolution_dx(const struct compute *compute, const struct convolution *convolution, size_t M, const float *dy,
                    struct matrix weight, float *scratch, float *dx);

/* The members of a struct compute that has them. */
#define CONVOLUTION_BY_PRODUCTS                                                                                        \
    .convolution_scratch = convolution_scratch, .convolution_forward = convolution_forward,                            \
    .convolution_dweight = convolution_dweight, .convolution_dx = convolution_dx

#endif
