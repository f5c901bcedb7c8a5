/* The product that dense and lm_head share: y = x W' + b for n rows.
 *
 * Letters: x [n, I], W [O, I] (not transposed), b [O], y [n, O]. */
#ifndef NN_LAYERS_LINEAR_H
#define NN_LAYERS_LINEAR_H

#include "nn/kernels/compute.h"

#include <stdbool.h>
#include <stddef.h>

/* Local. bias may be NULL: there is none. */
void linear_forward(const struct compute *compute, size_t n, size_t I, size_t O, const float *x, struct matrix weight,
                    const float *bias, float *y);

/* Local. dweight [O, I] and dbias [O] (NULL: no bias) are overwritten, or added to if the flag says so. dx [n, I] may
 * be NULL. */
void linear_backward(const struct compute *compute, size_t n, size_t I, size_t O, const float *x, struct matrix weight,
                     const float *dy, float *dx, float *dweight, bool weight_adds, float *dbias, bool bias_adds);

#endif
