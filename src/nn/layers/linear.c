#include "nn/layers/linear.h"

#include "nn/kernels/vector.h"

#include <string.h>

void linear_forward(const struct compute *compute, size_t n, size_t I, size_t O, const float *x, struct matrix weight,
                    const float *bias, float *y)
{
    for (size_t row = 0; bias && row < n; row++)
        memcpy(y + row * O, bias, O * sizeof *y);
    weight.transposed = true;
    compute->product(compute, n, O, I, matrix_of(x, I, false), weight, bias != NULL, y, O);
}

void linear_backward(const struct compute *compute, size_t n, size_t I, size_t O, const float *x, struct matrix weight,
                     const float *dy, float *dx, float *dweight, bool weight_adds, float *dbias, bool bias_adds)
{
    compute->product(compute, O, I, n, matrix_of(dy, O, true), matrix_of(x, I, false), weight_adds, dweight, I);
    if (dbias)
        vector_sum_rows(n, O, dy, dbias, bias_adds);
    if (dx)
        compute->product(compute, n, I, O, matrix_of(dy, O, false), weight, false, dx, I);
}
