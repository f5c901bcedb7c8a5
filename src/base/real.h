/* Elementary functions in double whose bits do not depend on the C library, which rounds as its release and the CPU
 * have it: for whatever is learned, decided or drawn. Each operation is rounded by itself, in the order of the source; errors were
 * measured against the C library (tests/base/test_real.c measures again). */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#include <stdint.h>

/* Local. e^x, within 1.5 units in the last place; infinity above 709.7827, 0 below -745.13. */
double real_exp(double x);

/* Local. The natural logarithm of x > 0, within 2 units in the last place of the larger of it and 1; of 0 -infinity, of
 * negatives NaN. */
double real_log(double x);

/* Local. base^times, by squaring: each product is rounded. */
double real_power(double base, uint64_t times);

/* Local. base^exponent for base >= 0; a whole exponent that is not negative goes by real_power. Relative error about
 * 2^-52 (1 + |exponent log base|). */
double real_pow(double base, double exponent);

/* Local. cos and sin of 2 pi u, 0 <= u < 1, within 2^-52. */
void real_circle(double u, double *c, double *s);

#endif
