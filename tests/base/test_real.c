#include "base/real.h"
#include "base/rng.h"
#include "support/test.h"

#include <math.h>

enum { TIMES = 200000 };

/* Uniform in [from, to). */
static double number(uint64_t i, double from, double to)
{
    static uint64_t key;
    key = key ? key : rng_key(1, "real");
    double u = (double)rng_uniform(key, 2 * i) + (double)rng_uniform(key, 2 * i + 1) * 0x1p-24;
    return from + (to - from) * u;
}

/* In units in the last place of what is right. */
static double off(double mine, double right)
{
    return fabs(mine - right) / (nextafter(fabs(right), (double)INFINITY) - fabs(right));
}

static void exp_is_near_that_of_the_c_library(void)
{
    double worst = 0;
    for (uint64_t i = 0; i < TIMES; i++) {
        double x = i % 2 ? number(i, -708, 709.7) : number(i, -1, 1);
        worst = fmax(worst, off(real_exp(x), exp(x)));
    }
    CU_ASSERT(worst <= 2); /* 1.5 of ours, 0.5 of theirs */
    CU_ASSERT_EQUAL(real_exp(0), 1);
    CU_ASSERT_EQUAL(real_exp(710), (double)INFINITY);
    CU_ASSERT_EQUAL(real_exp((double)INFINITY), (double)INFINITY);
    CU_ASSERT_EQUAL(real_exp(-746), 0);
    CU_ASSERT_EQUAL(real_exp(-(double)INFINITY), 0);
    CU_ASSERT_EQUAL(real_exp(-745), 0x1p-1074);
    CU_ASSERT(isnan(real_exp((double)NAN)));
}

static void log_is_near_that_of_the_c_library(void)
{
    double worst = 0;
    for (uint64_t i = 0; i < TIMES; i++) {
        double x = i % 2 ? exp(number(i, -740, 709)) : number(i, 0.5, 2), right = log(x);
        worst = fmax(worst, fabs(real_log(x) - right) / fmax(1, fabs(right)) * 0x1p52);
    }
    CU_ASSERT(worst <= 2.5);
    CU_ASSERT_EQUAL(real_log(1), 0);
    CU_ASSERT_EQUAL(real_log(0), -(double)INFINITY);
    CU_ASSERT_EQUAL(real_log((double)INFINITY), (double)INFINITY);
    CU_ASSERT(isnan(real_log(-1)));
    CU_ASSERT(isnan(real_log((double)NAN)));
}

static void powers_are_near_those_of_the_c_library(void)
{
    double worst = 0;
    for (uint64_t i = 0; i < TIMES; i++) {
        double x = number(i, 0, 1), y = i % 3 ? number(i + TIMES, 0.01, 3) : (double)(i % 1000);
        double right = pow(x, y);
        if (right >= 0x1p-1000)
            worst = fmax(worst, fabs(real_pow(x, y) - right) / right * 0x1p52 / (1 + fabs(y * log(x)) + y));
    }
    CU_ASSERT(worst <= 2);
    CU_ASSERT_EQUAL(real_pow(0.3, 1), 0.3);
    CU_ASSERT_EQUAL(real_pow(0, 0), 1);
    CU_ASSERT_EQUAL(real_pow(0, 0.5), 0);
    CU_ASSERT_EQUAL(real_power(0.5, 40), 0x1p-40);
}

static void the_circle_is_near_that_of_the_c_library(void)
{
    double worst = 0;
    for (uint64_t i = 0; i < TIMES; i++) {
        double u = number(i, 0, 1), c, s;
        real_circle(u, &c, &s);
        worst = fmax(worst, fmax(fabs(c - cos(2 * M_PI * u)), fabs(s - sin(2 * M_PI * u))));
    }
    CU_ASSERT(worst <= 0x1p-50); /* the angle of theirs is rounded, too */
}

/* The same on every machine: these bits are what the formulas gave once. */
static void the_bits_are_those_of_the_source(void)
{
    double c, s;
    real_circle(0.3, &c, &s);
    CU_ASSERT_EQUAL(real_exp(0.7), 0x1.01c2a61268987p+1);
    CU_ASSERT_EQUAL(real_log(0.7), -0x1.6d3c324e13f4fp-2);
    CU_ASSERT_EQUAL(real_power(0.999, 1234), 0x1.29edc3254effcp-2);
    CU_ASSERT_EQUAL(real_pow(0.7, 0.9), 0x1.7369f7d10f686p-1);
    CU_ASSERT_EQUAL(c, -0x1.3c6ef372fe94ep-2);
    CU_ASSERT_EQUAL(s, 0x1.e6f0e134455p-1);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"exp is near that of the C library", exp_is_near_that_of_the_c_library},
        {"log is near that of the C library", log_is_near_that_of_the_c_library},
        {"powers are near those of the C library", powers_are_near_those_of_the_c_library},
        {"the circle is near that of the C library", the_circle_is_near_that_of_the_c_library},
        {"the bits are those of the source", the_bits_are_those_of_the_source},
        {NULL, NULL},
    };
    return test_run("base/real", cases);
}
