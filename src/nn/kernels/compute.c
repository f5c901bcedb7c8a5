#include "nn/kernels/compute.h"

#include "base/check.h"

const char *const gemm_names[] = {[GEMM_LOCKSTEP] = "lockstep", [GEMM_OPENBLAS] = "openblas", NULL};
const char *const precision_names[] = {[PRECISION_FLOAT32] = "float32", [PRECISION_BF16] = "bf16", NULL};

const struct compute *compute_of(enum gemm gemm, enum precision precision)
{
    CHECK(gemm != GEMM_OPENBLAS || precision != PRECISION_BF16, "a job like this is refused");
    if (precision == PRECISION_BF16)
        return &compute_bf16;
    return gemm == GEMM_OPENBLAS ? &compute_openblas : &compute_lockstep;
}
