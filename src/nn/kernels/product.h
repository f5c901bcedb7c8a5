/* Products of matrices of our own, "numerics 1": their bits are a function of the operands alone, and the same on every
 * CPU, whatever the width of its vectors, the number of rows or columns of the call, the way the operands are stored,
 * the compiler, and the path that the machine takes.
 *
 * Definition. With k cut into as few parts of at most PRODUCT_PART as it takes, of nearly equal size, the larger ones
 * in front, and s(part) the chain
 *
 *     s = +0;  for p of the part, in order:  s = fma(a(i, p), b(p, j), s)
 *
 * every element is c = s(0) + s(1) + ..., or c = c + s(0) + s(1) + ... if the product is added to what was there: from
 * left to right, each sum rounded to float. fma is that of IEEE 754-2008 (5.4.1): rounded once, to nearest even,
 * subnormals kept. Which NaN a NaN is, is not defined.
 *
 * How it is made. A tile of some rows and up to 4 vectors of columns stays in registers for one part (tile.inc; the
 * blocking of K. Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008, with
 * one level of packing). One side of the product goes along the vectors, the other is broadcast, element by element,
 * from where it lies. The side of the vectors is read where it lies, too, if its rows do, and otherwise transposed into
 * a panel on the stack, part by part: for y = x w' that is w with many rows of x and x with few, so that no weight is
 * copied for a leaf of 16 samples. Many rows go in bands, so that what is read again is still in the cache. Nothing is
 * kept between calls. */
#ifndef NN_KERNELS_PRODUCT_H
#define NN_KERNELS_PRODUCT_H

#include "nn/kernels/compute.h"

#include <stdbool.h>
#include <stddef.h>

#define PRODUCT_PART 512

/* Local. As .product of struct compute. Needs 140 KB of stack. */
void product_make(size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds, float *c, size_t stride);

/* Local. The same with these tiles (tile_table.h), for tests. */
struct tile_table;
void product_make_by(const struct tile_table *table, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                     bool adds, float *c, size_t stride);

#endif
