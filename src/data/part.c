#include "data/part.h"

#include <math.h>

bool part_check(const double part[2], struct error *error)
{
    return part[0] < part[1] ||
           error_set(error, ERROR_USAGE, "begins at %g, which is not before its end, %g", part[0], part[1]);
}

bool part_is_possible(const double part[2], struct error *error)
{
    return (part[0] >= 0 && part[0] < part[1] && part[1] <= 1) ||
           error_set(error, ERROR_USAGE, "the dataset has part [%g, %g]: 0 <= first < second <= 1 is needed", part[0],
                     part[1]);
}

void part_place(const double part[2], size_t there, size_t *begin, size_t *end)
{
    *begin = (size_t)floor((double)there * part[0]);
    *end = (size_t)floor((double)there * part[1]);
    if (part[1] >= 1 || *end > there) /* a double has not all bits of so large a number */
        *end = there;
}
