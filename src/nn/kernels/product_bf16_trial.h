/* The self-test of a way to make products of bf16. */
#ifndef NN_KERNELS_PRODUCT_BF16_TRIAL_H
#define NN_KERNELS_PRODUCT_BF16_TRIAL_H

#include "nn/kernels/product_bf16.h"

#include <stdint.h>

#define PRODUCT_BF16_DIGEST 0x126cb20bb551f178u

/* Local. A digest of what this way makes of fixed numbers, in a few milliseconds: ordinary ones, by several parts and
 * an odd k, stored in each way; and zeros, subnormal numbers, numbers whose products are near the smallest normal one
 * and the largest, infinities and NaN. All NaN count as the same. PRODUCT_BF16_DIGEST, if the way is that of the
 * definition. */
uint64_t product_bf16_try(product_bf16_way *way);

#endif
