/* y = tanh(x). */
#include "nn/elementwise.h"
#include "nn/kernels/vector.h"

ELEMENTWISE_FROM_Y(tanh, vector_tanh, vector_tanh_back)
