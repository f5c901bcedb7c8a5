#include "nn/kernels/compute.h"

const struct compute *const compute_default = &compute_openblas;
