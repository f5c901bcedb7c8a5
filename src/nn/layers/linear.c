#include "nn/layers/linear.h"

#include "nn/kernels/vector.h"

#include <string.h>

void linear_forward(const struct compute *compute, size_t n, size_t I, size_t O, const float *x, const float *weight,
                    const float *bias, float *y)
{
    for (size_t row = 0; bias && row < n; row++)
        memcpy(y + row * O, bias, O * sizeof *y);
    compute_product(compute, n, O, I, x, false, weight, true, bias ? 1 : 0, y);
}

void linear_backward(const struct compute *compute, size_t n, size_t I, size_t O, const float *x, const float *weight,
                     const float *dy, float *dx, float *dweight, bool weight_adds, float *dbias, bool bias_adds)
{
    compute_product(compute, O, I, n, dy, true, x, false, weight_adds ? 1 : 0, dweight);
    if (dbias)
        vector_sum_rows(n, O, dy, dbias, bias_adds);
    if (dx)
        compute_product(compute, n, I, O, dy, false, weight, false, 0, dx);
}
