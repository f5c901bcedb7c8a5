#include "cli/statistics.h"

#include <math.h>

struct statistics statistics_of(const float *values, size_t count)
{
    double sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
    size_t finite = 0;
    for (size_t i = 0; i < count; i++) {
        double value = (double)values[i];
        if (!isfinite(value))
            continue;
        finite++;
        sum += value;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    if (finite == 0)
        return (struct statistics){.mean = NAN, .deviation = NAN, .low = NAN, .high = NAN, .nonfinite = count};
    double mean = sum / (double)finite;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            squares += ((double)values[i] - mean) * ((double)values[i] - mean);
    return (struct statistics){.mean = mean,
                               .deviation = sqrt(squares / (double)finite),
                               .low = low,
                               .high = high,
                               .nonfinite = count - finite};
}
