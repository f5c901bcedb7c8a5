#include "nn/floats.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

bool float_same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

bool floats_same(size_t n, const float *a, const float *b)
{
    for (size_t i = 0; i < n; i++)
        if (!float_same(a[i], b[i]))
            return false;
    return true;
}

void floats_fill(size_t n, const char *purpose, float spread, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = spread * (2 * rng_uniform(rng_key(1, purpose), i) - 1);
}
