/* y = 1 / (1 + exp(-x)). */
#include "nn/elementwise.h"
#include "nn/kernels/vector.h"

ELEMENTWISE_FROM_Y(sigmoid, vector_sigmoid, vector_sigmoid_back)
