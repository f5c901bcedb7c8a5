#include "nn/kernels/compute.h"

const char *const gemm_names[] = {[GEMM_LOCKSTEP] = "lockstep", [GEMM_OPENBLAS] = "openblas", NULL};

const struct compute *compute_of(enum gemm gemm)
{
    return gemm == GEMM_OPENBLAS ? &compute_openblas : &compute_lockstep;
}
