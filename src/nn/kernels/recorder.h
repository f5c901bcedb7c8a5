/* A compute that makes what another one makes, with its bits, and notes what it is asked for: the shapes to measure
 * products and convolutions by. */
#ifndef NN_KERNELS_RECORDER_H
#define NN_KERNELS_RECORDER_H

#include "nn/kernels/convolution.h"

#include <stdint.h>

enum recorded_kind { RECORDED_PRODUCT, RECORDED_FORWARD, RECORDED_DWEIGHT, RECORDED_DX };

/* What was asked for, and how often. */
struct recorded {
    enum recorded_kind kind;
    uint64_t count;
    size_t m, n, k; /* a product: c [m, n] = a [m, k] b [k, n] */
    bool a_transposed, b_transposed, adds;
    struct convolution convolution; /* of the others; its M is that of the call */
};

struct recorder {
    struct compute compute; /* what to compute with: first, so that a pointer to it is one to all */
    const struct compute *base;
    struct recorded *items; /* [count], in the order in which they first came */
    size_t count, capacity;
};

/* Local. The base is borrowed; of one of several threads what one of them computes with. What it has beside products
 * and two-dimensional convolutions passes through. Release accepts a released one. */
void recorder_init(struct recorder *recorder, const struct compute *base);
void recorder_release(struct recorder *recorder);

/* Local. "product", "forward", "dweight", "dx". Borrowed. */
const char *recorded_word(enum recorded_kind kind);

#endif
