/* Products of matrices whose elements are rounded to bf16, summed in float32: part of "numerics 1", with the same bits
 * on every CPU, as those of product.h.
 *
 * Definition. bf16 is float32 without its last 16 bits: sign, 8 bits of exponent, 7 of significand. r(x) is x rounded
 * to it, to nearest even; beyond the largest it is infinite; if x is below 2^-126, the smallest normal number, r(x) is
 * a zero of x's sign. With k cut into as few parts of at most PRODUCT_BF16_PART as it takes, at even places, of nearly
 * equal numbers of pairs, the larger ones in front, and s(part) the chain
 *
 *     s = +0;  for each pair of elements p, p + 1 of the part, in order, p even:
 *         s = z(fma(r(a(i, p + 1)), r(b(p + 1, j)), s));
 *         s = z(fma(r(a(i, p)), r(b(p, j)), s))
 *
 * every element is c = s(0) + s(1) + ..., or c = c + s(0) + s(1) + ... if the product is added to what was there: from
 * left to right, each sum rounded to float, subnormals kept. If k is odd, its last pair has +0 on both sides as its
 * second element. fma is that of product.h; z(x) is a zero of x's sign if the exact sum, rounded to 24 bits as if
 * exponents had no end, is below 2^-126, and x otherwise. (So 2^-126 - 2^-151 becomes 2^-126, and what is less becomes
 * 0.) Infinities and NaN go as in IEEE 754; which NaN a NaN is, is not defined.
 *
 * That is vdpbf16ps of AVX512_BF16, whatever the flags of floating point say (Intel, "Architectures Software
 * Developer's Manual", volume 2, VDPBF16PS and VCVTNE2PS2BF16: subnormal operands are zeros, subnormal results become
 * zeros, to nearest even; which element of a pair is first is what the CPUs do). Arm's BFDOT and BFMMLA round
 * otherwise.
 *
 * How it is made. Where there are these instructions, and a self-test gives the bits of the definition, by them, out of
 * blocks of both operands that are rounded and packed into pairs (product_bf16_avx512.c). Elsewhere by products of
 * float32 with operands that are rounded before and change places in each pair; nothing there becomes subnormal as long
 * as the smallest operands of a block are not too small, and where they are, element by element
 * (product_bf16_emulated.c). Nothing is kept between calls: a leaf of many rows packs a weight in a twentieth of the
 * time that it multiplies with it, and a copy in memory would be half as large as the parameters. */
#ifndef NN_KERNELS_PRODUCT_BF16_H
#define NN_KERNELS_PRODUCT_BF16_H

#include "nn/kernels/compute.h"
#include "nn/kernels/cpu.h"

#include <stdbool.h>
#include <stddef.h>

#define PRODUCT_BF16_PART 512

/* Local. One way to make a product: as .product of struct compute. */
typedef void product_bf16_way(size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds, float *c,
                              size_t stride);

/* On every CPU; and, where cpu_has_bf16 (cpu.h) only, on those with AVX512_BF16. Need 900 KB of stack. */
product_bf16_way product_bf16_emulated;
#if CPU_X86
product_bf16_way product_bf16_avx512;
#endif

#endif
