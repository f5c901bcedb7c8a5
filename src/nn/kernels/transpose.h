/* Transposes of matrices, for who has operands of products in another order than they are wanted in. */
#ifndef NN_KERNELS_TRANSPOSE_H
#define NN_KERNELS_TRANSPOSE_H

#include <stddef.h>

/* Local. to [columns, rows], rows `pitch` apart, is the transpose of from [rows, columns], rows `stride` apart. They do
 * not overlap. */
void transpose(size_t rows, size_t columns, const float *from, size_t stride, float *to, size_t pitch);

#endif
