/* What a pass multiplies with. Layers make their products and convolutions through this, so that another precision or
 * another library is no matter of theirs. A side that is a parameter says which one it is. */
#ifndef NN_KERNELS_COMPUTE_H
#define NN_KERNELS_COMPUTE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* One side of a product, row-major. */
struct matrix {
    const float *values;
    size_t stride;        /* floats from one stored row to the next */
    bool transposed;      /* its transpose is stored */
    const size_t *tensor; /* index in the table, if it is a parameter, and then all of it: layer_weight of
                             nn/layer.h sets it; NULL: it is none. For who keeps weights in another
                             layout; nobody here does so far */
};

struct convolution; /* convolution.h, with the letters */
struct team;        /* base/team.h */

struct compute {
    /* Its products are those of product.h, so that who makes them by tiles as well (tile_table.h) gets the same. */
    bool by_tiles;

    /* Local. What the bits of all that follows depend on beside the numerics: "lockstep" (nothing more), or
     * "OpenBLAS 0.3.21 SkylakeX, serial build, 1 thread". Borrowed, until the next call. */
    const char *(*describe)(const struct compute *compute);

    /* Local. What the operands of products are rounded to: "float32" (not at all), "bf16"; and that this machine rounds
     * otherwise than the definition, if so. Borrowed, until the next call. */
    const char *(*precision)(const struct compute *compute);

    /* Local. Takes the memory that the products want for themselves, so that none of them has to take it: once,
     * before the first. ERROR_IO: it cannot be had. */
    bool (*reserve)(const struct compute *compute, struct error *error) WARN_UNUSED;

    /* Local. c [m, n] = a [m, k] b [k, n], or, if it adds, c + a b; row i of c begins at c + i * stride. If it does not
     * add, what c held does not matter, also if it is NaN. c overlaps neither a nor b. 0 < m, n, k < 2^31. */
    void (*product)(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    bool adds, float *c, size_t stride);

    /* Local. The floats of scratch that a call of one of the three below needs. */
    size_t (*convolution_scratch)(const struct compute *compute, const struct convolution *convolution);

    /* Local. y [M, O, P] from x [M, C, D, H, W], weight [O, K] and bias [O], which may be NULL: there is none. */
    void (*convolution_forward)(const struct compute *compute, const struct convolution *convolution, size_t M,
                                const float *x, struct matrix weight, const float *bias, float *scratch, float *y);

    /* Local. dweight [O, K] and dbias [O], which may be NULL, from x [M, C, D, H, W] and dy [M, O, P]: overwritten. */
    void (*convolution_dweight)(const struct compute *compute, const struct convolution *convolution, size_t M,
                                const float *x, const float *dy, float *scratch, float *dweight, float *dbias);

    /* Local. dx [M, C, D, H, W] from dy [M, O, P] and weight [O, K]: overwritten. */
    void (*convolution_dx)(const struct compute *compute, const struct convolution *convolution, size_t M,
                           const float *dy, struct matrix weight, float *scratch, float *dx);

    /* Of several threads (threaded.h); else all three are 0. Layers share their loops by split.h. */
    size_t threads;              /* how many */
    struct team *team;           /* that they are; NULL: not yet */
    const struct compute *alone; /* for one of them, in a part of a loop */
};

/* float32, one thread: by products of our own, whose bits are the same on every CPU (product.h), and by OpenBLAS
 * (gemm.c). Convolutions by products (convolution.h). */
extern const struct compute compute_lockstep, compute_openblas;

/* The same by our own products of operands that are rounded to bf16 (product_bf16.h). */
extern const struct compute compute_bf16;

/* As a job file names them. */
enum gemm { GEMM_LOCKSTEP = 1, GEMM_OPENBLAS };
enum precision { PRECISION_FLOAT32 = 1, PRECISION_BF16 };
extern const char *const gemm_names[], *const precision_names[];

/* Local. Those of 0 are the first of each. There is none of OpenBLAS in bf16: its sums are not those of our definition.
 * Borrowed. */
const struct compute *compute_of(enum gemm gemm, enum precision precision);

/* Local. How many threads share a pass, and what one of them computes with, in a part of a loop. */
static inline size_t compute_threads(const struct compute *compute)
{
    return compute->threads > 1 ? compute->threads : 1;
}

static inline const struct compute *compute_alone(const struct compute *compute)
{
    return compute->alone ? compute->alone : compute;
}

/* Local. One that is no parameter. */
static inline struct matrix matrix_of(const float *values, size_t stride, bool transposed)
{
    return (struct matrix){.values = values, .stride = stride, .transposed = transposed};
}

#endif
