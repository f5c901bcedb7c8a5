/* y = 1 / (1 + exp(-x)). */
#include "nn/kernels/vector.h"
#include "nn/layers/elementwise.h"

ELEMENTWISE_FROM_Y(sigmoid, "1 / (1 + exp(-x)) of each element", vector_sigmoid, vector_sigmoid_back)
