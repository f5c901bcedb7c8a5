/* The settings of conv2d. */
#ifndef NN_LAYERS_CONV2D_H
#define NN_LAYERS_CONV2D_H

#include "nn/layer.h"

#include <stdbool.h>
#include <stdint.h>

#define PADDING_SAME UINT64_MAX /* the output has ceil(size / stride): zeros on both sides, the odd one behind */

struct conv2d {
    uint64_t filters;
    uint64_t kernel; /* side of the square */
    uint64_t stride;
    uint64_t padding; /* zeros on each side, or PADDING_SAME */
    bool bias;
    enum init_kind init;
};

/* Zeros at the two ends of a side. */
struct conv2d_zeros {
    size_t before, behind;
};

/* Local. Those of a convolution that makes `out` values of `in` along a side: for who says elsewhere what it does. */
struct conv2d_zeros conv2d_zeros(uint64_t kernel, uint64_t stride, uint64_t padding, size_t in, size_t out);

/* Local. How many places of a kernel of k there are along a side; 0: it does not fit. Sets the zeros before the first.
 */
size_t conv2d_side(size_t size, size_t k, size_t stride, size_t padding, size_t *before);

/* Local. Zeros before the first of `size` values such that `out` places of a kernel of k fit. */
size_t conv2d_same_padding(size_t size, size_t out, size_t k, size_t stride);

#endif
