#include "nn/layers/linear.h"

#include "nn/kernels/gemm.h"
#include "nn/kernels/vector.h"

#include <string.h>

void linear_forward(size_t n, size_t I, size_t O, const float *x, const float *weight, const float *bias, float *y)
{
    for (size_t row = 0; bias && row < n; row++)
        memcpy(y + row * O, bias, O * sizeof *y);
    gemm(GEMM_PLAIN, GEMM_TRANSPOSED, n, O, I, x, weight, bias ? 1 : 0, y);
}

void linear_backward(size_t n, size_t I, size_t O, const float *x, const float *weight, const float *dy, float *dx,
                     float *dweight, bool weight_adds, float *dbias, bool bias_adds)
{
    gemm(GEMM_TRANSPOSED, GEMM_PLAIN, O, I, n, dy, x, weight_adds ? 1 : 0, dweight);
    if (dbias)
        vector_sum_rows(n, O, dy, dbias, bias_adds);
    if (dx)
        gemm(GEMM_PLAIN, GEMM_PLAIN, n, I, O, dy, weight, 0, dx);
}
