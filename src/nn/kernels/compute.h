/* What a pass multiplies with. Layers make their products and convolutions through this, so that another precision,
 * another library, or weights that have been brought into another layout before, are no matter of theirs. */
#ifndef NN_KERNELS_COMPUTE_H
#define NN_KERNELS_COMPUTE_H

#include <stdbool.h>
#include <stddef.h>

/* One side of a product, row-major. */
struct matrix {
    const float *values;
    size_t stride;   /* floats from one stored row to the next */
    bool transposed; /* its transpose is stored */
};

struct compute {
    const char *name; /* "OpenBLAS float32" */

    /* Local. c [m, n] = a [m, k] b [k, n] + beta c; row i of c begins at c + i * stride. With beta 0 what c held does
     * not matter, also if it is NaN. m, n, k < 2^31. */
    void (*product)(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    float beta, float *c, size_t stride);
};

/* Products in float32 by OpenBLAS, one thread (gemm.c). */
extern const struct compute compute_openblas;

/* Local. The same for dense matrices: rows of all three stand without gaps. */
void compute_product(const struct compute *compute, size_t m, size_t n, size_t k, const float *a, bool a_transposed,
                     const float *b, bool b_transposed, float beta, float *c);

#endif
