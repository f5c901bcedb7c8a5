/* y = max(x, 0). The derivative at 0 is taken as 0. */
#include "base/target.h"
#include "nn/layers/elementwise.h"

/* NaN stays NaN, so that a diverged step is seen. */
TARGET_CLONES static void rectify(size_t count, const float *x, float *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] <= 0 ? 0 : x[i];
}

TARGET_CLONES static void pass_on(size_t count, const float *y, const float *dy, float *dx)
{
    for (size_t i = 0; i < count; i++)
        dx[i] = y[i] <= 0 ? 0 : dy[i];
}

ELEMENTWISE_FROM_Y(relu, "max(x, 0) of each element", rectify, pass_on)
