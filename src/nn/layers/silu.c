/* y = x / (1 + exp(-x)) (S. Elfwing et al., "Sigmoid-weighted linear units", 2018). */
#include "nn/kernels/vector.h"
#include "nn/layers/elementwise.h"

ELEMENTWISE_FROM_X(silu, "x / (1 + exp(-x)) of each element", vector_silu, vector_silu_back)
