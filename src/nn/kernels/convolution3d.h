/* Three-dimensional convolutions, [C, D, H, W] -> [O, Z, Y, X], made of products as the two-dimensional ones are
 * (convolution.h): of the filters with the values under each place of the kernel as columns of a matrix. A tile of
 * columns is some lines of one sample's output, a line being the X values of one depth and height.
 *
 * Letters: M samples; C, D, H, W channels, depth, height and width of the input; O filters; Z, Y, X depth, height and
 * width of the output; k side of the kernel; K = C k k k values under the kernel. */
#ifndef NN_KERNELS_CONVOLUTION3D_H
#define NN_KERNELS_CONVOLUTION3D_H

#include "nn/kernels/compute.h"

#include <stddef.h>

struct convolution3d {
    size_t C, D, H, W, O, Z, Y, X, k, K, stride;
    size_t front, top, left; /* zeros before the first plane, row and column */
};

/* Local. The floats of scratch that a call of one of those below needs. */
size_t convolution3d_scratch(const struct convolution3d *convolution);

/* Local. y [M, O, Z, Y, X] from x [M, C, D, H, W], weight [O, K] and bias [O], which may be NULL: there is none. */
void convolution3d_forward(const struct compute *compute, const struct convolution3d *convolution, size_t M,
                           const float *x, struct matrix weight, const float *bias, float *scratch, float *y);

/* Local. dweight [O, K] and dbias [O], which may be NULL, from x and dy [M, O, Z, Y, X]: overwritten. */
void convolution3d_dweight(const struct compute *compute, const struct convolution3d *convolution, size_t M,
                           const float *x, const float *dy, float *scratch, float *dweight, float *dbias);

/* Local. dx [M, C, D, H, W] from dy and weight: overwritten. */
void convolution3d_dx(const struct compute *compute, const struct convolution3d *convolution, size_t M, const float *dy,
                      struct matrix weight, float *scratch, float *dx);

#endif
