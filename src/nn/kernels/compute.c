#include "nn/kernels/compute.h"

void compute_product(const struct compute *compute, size_t m, size_t n, size_t k, const float *a, bool a_transposed,
                     const float *b, bool b_transposed, float beta, float *c)
{
    struct matrix left = {a, a_transposed ? m : k, a_transposed}, right = {b, b_transposed ? k : n, b_transposed};
    compute->product(compute, m, n, k, left, right, beta, c, n);
}
