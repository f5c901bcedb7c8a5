#include "nn/kernels/gemm.h"

#include "base/limit.h"
#include "base/memory.h"
#include "nn/kernels/convolution.h"

#include <cblas.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

static enum CBLAS_TRANSPOSE side(struct matrix matrix)
{
    return matrix.transposed ? CblasTrans : CblasNoTrans;
}

static void product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    bool adds, float *c, size_t stride)
{
    (void)compute;
    cblas_sgemm(CblasRowMajor, side(a), side(b), (blasint)m, (blasint)n, (blasint)k, 1, a.values, (blasint)a.stride,
                b.values, (blasint)b.stride, adds ? 1 : 0, c, (blasint)stride);
}

/* OpenBLAS takes one buffer of 128 MB with the first product that is not small, keeps it, and asks for it again without
 * end if it cannot be had. */
#define BUFFER_BYTES ((size_t)132 << 20)
#define NOT_SMALL    128 /* m = n = k: from 100 on no core calls it small */

static const char *precision(const struct compute *compute)
{
    (void)compute;
    return precision_names[PRECISION_FLOAT32];
}

static bool reserve(const struct compute *compute, struct error *error)
{
    void *room = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char limit[LIMIT_WORDS];
    limit_words(ENOMEM, limit);
    if (room == MAP_FAILED)
        return error_set(error, ERROR_IO, "not enough memory for the products of OpenBLAS (%.1f MB)%s",
                         (double)BUFFER_BYTES / 1e6, limit);
    munmap(room, BUFFER_BYTES);
    float *square = memory_alloc(2 * NOT_SMALL * NOT_SMALL, sizeof *square, "a first product", error);
    if (!square)
        return false;
    struct matrix side_of_it = matrix_of(square, NOT_SMALL, false);
    compute->product(compute, NOT_SMALL, NOT_SMALL, NOT_SMALL, side_of_it, side_of_it, false,
                     square + NOT_SMALL * NOT_SMALL, NOT_SMALL);
    memory_free(square);
    return true;
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
    .precision = precision,
    .reserve = reserve,
    .product = product,
    CONVOLUTION_BY_PRODUCTS,
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
