/* Matrix products through OpenBLAS, one thread. */
#ifndef NN_KERNELS_GEMM_H
#define NN_KERNELS_GEMM_H

#include <stddef.h>

enum gemm_side {
    GEMM_PLAIN,      /* the matrix is stored as it is used */
    GEMM_TRANSPOSED, /* its transpose is stored */
};

/* Local. c [m, n] = a [m, k] b [k, n] + beta c, all row-major and dense; a stored [k, m] if transposed, b stored [n,
 * k]. With beta 0 what c held does not matter, also if it is NaN. m, n, k < 2^31. */
void gemm(enum gemm_side a_side, enum gemm_side b_side, size_t m, size_t n, size_t k, const float *a, const float *b,
          float beta, float *c);

/* Local. The same for parts of larger matrices: row i of a as stored begins at a + i * lda, likewise b and c. */
void gemm_part(enum gemm_side a_side, enum gemm_side b_side, size_t m, size_t n, size_t k, const float *a, size_t lda,
               const float *b, size_t ldb, float beta, float *c, size_t ldc);

/* Local. One thread from now on, whichever build of OpenBLAS was loaded. */
void gemm_init(void);

/* Local. What the bits of a product depend on: "OpenBLAS 0.3.21 SkylakeX, serial build, 1 thread". Borrowed. */
const char *gemm_describe(void);

/* Local. What OPENBLAS_CORETYPE asks for, if OpenBLAS has not taken it: it passes over a name that it does not know.
 * NULL: nothing is asked for, or it was taken. Borrowed. */
const char *gemm_core_ignored(void);

#endif
