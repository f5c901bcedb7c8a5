/* Numerics 1: the rules that all bits of training follow from the samples on. They name no CPU, compiler or library:
 *
 * - products are chains of fused multiply-adds in a given order (product.h);
 * - all else is sums and products in the order of the source, each rounded by itself (vector.h), and functions made of
 *   them (vector.h; base/real.h);
 * - float and double are those of IEEE 754: to nearest even, subnormals kept.
 *
 * Whoever changes a bit anywhere gives the rules a new number, and NUMERICS_DIGEST a new value. */
#ifndef NN_KERNELS_NUMERICS_H
#define NN_KERNELS_NUMERICS_H

#include <stdbool.h>
#include <stdint.h>

#define NUMERICS        1
#define NUMERICS_DIGEST 0x456dcc30b52141b5u

/* Local. Floating point of the calling thread, and of those that it begins, as the rules want it. A library that is
 * loaded later may set it otherwise for the thread that loads it (one that was linked with -ffast-math does). */
void numerics_enter(void);

/* Local. What products and the functions of vector.h and base/real.h make of fixed numbers, tried once a process, in
 * some milliseconds: NUMERICS_DIGEST wherever the rules hold (and the smaller end of a number comes first). */
uint64_t numerics_digest(void);

/* Local. "1"; where the rules do not hold, words that say so, with the digest that came instead. One thread at a
 * time. Borrowed. */
const char *numerics_describe(void);

#endif
