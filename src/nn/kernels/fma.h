/* fma for machines without it, exact and slow. */
#ifndef NN_KERNELS_FMA_H
#define NN_KERNELS_FMA_H

#include <stdint.h>
#include <string.h>

/* Local. a b + c, rounded once, to nearest even. The product of two floats is exact in double; the sum is rounded to
 * odd there (of the two doubles beside an inexact sum the one whose last bit is set), after which rounding to float is
 * as if from the exact sum (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums", IEEE Transactions on
 * Computers 57(4), 2008, theorem 3; the error of the sum: D. Knuth, TAOCP 2, section 4.2.2, theorem B). */
static inline float fma_exact(float a, float b, float c)
{
    double product = (double)a * (double)b, addend = (double)c, sum = product + addend;
    double part = sum - product, error = (product - (sum - part)) + (addend - part);
    if (error > 0 || error < 0) { /* neither, if it is NaN: the sum is not finite */
        uint64_t bits;
        memcpy(&bits, &sum, sizeof bits);
        if (bits % 2 == 0)
            bits += (error > 0) == (sum > 0) ? 1 : -(uint64_t)1;
        memcpy(&sum, &bits, sizeof sum);
    }
    return (float)sum;
}

#endif
