#include "data/levels.h"

#include <math.h>

bool levels_check(double mean, double std, struct error *error)
{
    return (isfinite(mean) && isfinite(std) && std > 0) ||
           error_set(error, ERROR_USAGE, "the dataset has mean %g and std %g: both must be finite, std above 0", mean,
                     std);
}

bool levels_set(struct levels *levels, double mean, double std, struct error *error)
{
    if (!levels_check(mean, std, error))
        return false;
    for (int b = 0; b < 256; b++)
        levels->level[b] = (float)((b / 255.0 - mean) / std);
    for (int b = 0; b <= 255; b += 255)
        if (!isfinite(levels->level[b]))
            return error_set(error, ERROR_USAGE,
                             "the dataset has mean %g and std %g: the byte %d goes beyond a float with them; they are "
                             "those of values from 0 to 1",
                             mean, std, b);
    return true;
}
