#include "base/real.h"

#include <math.h>

/* With k the whole number next to x / log 2, e^x is 2^k e^r, |r| <= log(2) / 2, of which the power series is summed
 * from its small end. log 2 is taken in two pieces, the first with few bits, so that k times it is exact (W. Cody, W.
 * Waite, "Software manual for the elementary functions", Prentice-Hall 1980, chapter 6). */
double real_exp(double x)
{
    static const double log2_head = 0x1.62e42feep-1, log2_rest = 0x1.a39ef35793c76p-33;
    if (!(x < 709.782712893384))
        return x + (double)INFINITY;
    if (x < -745.2)
        return 0;
    double k = floor(x / M_LN2 + 0.5), r = (x - k * log2_head) - k * log2_rest, sum = 1;
    for (int i = 14; i >= 2; i--)
        sum = 1 + sum * r / i;
    return ldexp(1 + sum * r, (int)k);
}

/* Of the exponent, and of the mantissa by the series of artanh, which converges as 1 / 34^k. */
double real_log(double x)
{
    int exponent;
    if (!(x > 0))
        return x == 0 ? -(double)INFINITY : (double)NAN;
    if (isinf(x))
        return x;
    double m = frexp(x, &exponent);
    if (m < M_SQRT1_2) {
        m *= 2;
        exponent--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int k = 23; k >= 1; k -= 2)
        sum = sum * square + 1.0 / k;
    return exponent * M_LN2 + 2 * s * sum;
}

double real_power(double base, uint64_t times)
{
    double result = 1;
    for (; times > 0; times /= 2, base *= base)
        if (times % 2)
            result *= base;
    return result;
}

double real_pow(double base, double exponent)
{
    if (exponent >= 0 && exponent < 0x1p53 && floor(exponent) == exponent)
        return real_power(base, (uint64_t)exponent);
    return real_exp(exponent * real_log(base));
}

/* Of an angle of at most pi/4 by their power series, and then by symmetry. */
void real_circle(double u, double *c, double *s)
{
    int quarter = (int)(4 * u + 0.5);
    double angle = 2 * M_PI * (u - 0.25 * quarter), square = angle * angle, even = 1, odd = 1;
    for (int k = 18; k >= 2; k -= 2) {
        even = 1 - even * square / ((k - 1) * k);
        odd = 1 - odd * square / (k * (k + 1));
    }
    odd *= angle;
    *c = quarter % 4 == 0 ? even : quarter % 4 == 1 ? -odd : quarter % 4 == 2 ? -even : odd;
    *s = quarter % 4 == 0 ? odd : quarter % 4 == 1 ? even : quarter % 4 == 2 ? -odd : -even;
}
