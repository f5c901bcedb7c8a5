/* What a row of numbers looks like. */
#ifndef CLI_STATISTICS_H
#define CLI_STATISTICS_H

#include <stddef.h>

struct statistics {
    double mean, deviation, low, high; /* of the finite elements; NaN if there are none */
    size_t nonfinite;                  /* NaN and infinities */
};

/* Local. In double, in two passes: the deviation is that from the mean, divided by the count. */
struct statistics statistics_of(const float *values, size_t count);

#endif
