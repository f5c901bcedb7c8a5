#include "nn/kernels/compute.h"

const struct compute *const compute_default = &compute_openblas;

const char *compute_describe(void)
{
    return compute_default->describe(compute_default);
}
