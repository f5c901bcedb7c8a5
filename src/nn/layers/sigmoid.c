/* y = 1 / (1 + exp(-x)). */
#include "nn/kernels/vector.h"
#include "nn/layers/elementwise.h"

ELEMENTWISE_FROM_Y(sigmoid, vector_sigmoid, vector_sigmoid_back)
