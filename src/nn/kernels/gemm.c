#include "nn/kernels/gemm.h"

#include "nn/kernels/convolution.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum CBLAS_TRANSPOSE side(struct matrix matrix)
{
    return matrix.transposed ? CblasTrans : CblasNoTrans;
}

static void product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    float beta, float *c, size_t stride)
{
    (void)compute;
    cblas_sgemm(CblasRowMajor, side(a), side(b), (blasint)m, (blasint)n, (blasint)k, 1, a.values, (blasint)a.stride,
                b.values, (blasint)b.stride, beta, c, (blasint)stride);
}

static const char *describe(const struct compute *compute)
{
    (void)compute;
    static const char *const builds[] = {"serial", "pthread", "OpenMP"};
    static char text[256];
    /* openblas_get_config begins with "OpenBLAS 0.3.21 " and goes on with build options. */
    const char *config = openblas_get_config();
    const char *version = strchr(config, ' ');
    int name = version ? (int)(strcspn(version + 1, " ") + (size_t)(version + 1 - config)) : (int)strlen(config);
    int build = openblas_get_parallel();
    snprintf(text, sizeof text, "%.*s %s, %s build, %d thread", name, config, openblas_get_corename(),
             builds[build >= 0 && build <= 2 ? build : 0], openblas_get_num_threads());
    return text;
}

const struct compute compute_openblas = {
    .describe = describe,
    .product = product,
    .convolution_scratch = convolution_scratch,
    .convolution_forward = convolution_forward,
    .convolution_dweight = convolution_dweight,
    .convolution_dx = convolution_dx,
};

void gemm_init(void)
{
    openblas_set_num_threads(1);
}

const char *gemm_core_ignored(void)
{
    const char *asked = getenv("OPENBLAS_CORETYPE");
    return asked && *asked && strcasecmp(asked, openblas_get_corename()) != 0 ? asked : NULL;
}
