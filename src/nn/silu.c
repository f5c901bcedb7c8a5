/* y = x / (1 + exp(-x)) (S. Elfwing et al., "Sigmoid-weighted linear units", 2018). */
#include "nn/elementwise.h"
#include "nn/kernels/vector.h"

ELEMENTWISE_FROM_X(silu, vector_silu, vector_silu_back)
