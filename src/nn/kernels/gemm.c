#include "nn/kernels/gemm.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void gemm_part(enum gemm_side a_side, enum gemm_side b_side, size_t m, size_t n, size_t k, const float *a, size_t lda,
               const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, a_side == GEMM_TRANSPOSED ? CblasTrans : CblasNoTrans,
                b_side == GEMM_TRANSPOSED ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1, a,
                (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

void gemm(enum gemm_side a_side, enum gemm_side b_side, size_t m, size_t n, size_t k, const float *a, const float *b,
          float beta, float *c)
{
    gemm_part(a_side, b_side, m, n, k, a, a_side == GEMM_TRANSPOSED ? m : k, b, b_side == GEMM_TRANSPOSED ? k : n, beta,
              c, n);
}

void gemm_init(void)
{
    openblas_set_num_threads(1);
}

const char *gemm_describe(void)
{
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

const char *gemm_core_ignored(void)
{
    const char *asked = getenv("OPENBLAS_CORETYPE");
    return asked && *asked && strcasecmp(asked, openblas_get_corename()) != 0 ? asked : NULL;
}
