/* Numbers for tests of kernels, and how those that come out are compared. */
#ifndef TESTS_NN_FLOATS_H
#define TESTS_NN_FLOATS_H

#include <stdbool.h>
#include <stddef.h>

/* Of the same bits; one NaN is as good as another. */
bool float_same(float a, float b);
bool floats_same(size_t n, const float *a, const float *b);

/* Uniform in [-spread, spread), a function of (purpose, index). */
void floats_fill(size_t n, const char *purpose, float spread, float *x);

#endif
