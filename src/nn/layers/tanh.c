/* y = tanh(x). */
#include "nn/kernels/vector.h"
#include "nn/layers/elementwise.h"

ELEMENTWISE_FROM_Y(tanh, "tanh(x) of each element", vector_tanh, vector_tanh_back)
