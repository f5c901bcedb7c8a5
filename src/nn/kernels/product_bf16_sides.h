/* What both ways of a product of bf16 begin with. Private to product_bf16_*.c. */
#ifndef NN_KERNELS_PRODUCT_BF16_SIDES_H
#define NN_KERNELS_PRODUCT_BF16_SIDES_H

#include "nn/kernels/product_bf16.h"

/* One side: element p of the sum for its line i is values[i * line + p * step]; one of them is 1. */
struct side {
    size_t lines;
    const float *values;
    size_t line, step;
};

/* Where c is, seen from rows and columns. */
struct target {
    float *values;
    size_t row, column; /* one of them is 1 */
};

/* The product "straight", or "turned", as c' = b' a'. */
struct sides {
    struct side rows, columns;
    struct target c;
};

static inline struct sides sides_of(size_t m, size_t n, struct matrix a, struct matrix b, float *c, size_t stride,
                                    bool turned)
{
    struct side of_a = {m, a.values, a.transposed ? 1 : a.stride, a.transposed ? a.stride : 1};
    struct side of_b = {n, b.values, b.transposed ? b.stride : 1, b.transposed ? 1 : b.stride};
    if (turned)
        return (struct sides){of_b, of_a, {c, 1, stride}};
    return (struct sides){of_a, of_b, {c, stride, 1}};
}

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t ceiling(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* The elements of the next part, of those that are left. */
static inline size_t part_of(size_t left)
{
    size_t pairs = ceiling(left, 2);
    return least(left, 2 * ceiling(pairs, ceiling(pairs, PRODUCT_BF16_PART / 2)));
}

#endif
