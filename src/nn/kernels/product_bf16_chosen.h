/* The way by which this process makes products of bf16. */
#ifndef NN_KERNELS_PRODUCT_BF16_CHOSEN_H
#define NN_KERNELS_PRODUCT_BF16_CHOSEN_H

#include "nn/kernels/product_bf16.h"

#include <stdbool.h>
#include <stdint.h>

/* Local. By the CPU's own instructions, if it has them and they agree with the definition, which is tried once a
 * process, in a few milliseconds. */
product_bf16_way *product_bf16_chosen(void);

/* Local. Whether that is by the CPU's own instructions. */
bool product_bf16_is_native(void);

/* Local. What that way makes of the numbers of product_bf16_trial.h: PRODUCT_BF16_DIGEST wherever the definition holds.
 */
uint64_t product_bf16_digest(void);

#endif
