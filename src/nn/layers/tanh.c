/* y = tanh(x). */
#include "nn/kernels/vector.h"
#include "nn/layers/elementwise.h"

ELEMENTWISE_FROM_Y(tanh, vector_tanh, vector_tanh_back)
