#include "data/part.h"

#include "base/plural.h"

#include <inttypes.h>
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

bool part_choose(const double part[2], uint64_t first, uint64_t wanted, size_t there, const char *name, size_t *begin,
                 size_t *count, struct error *error)
{
    if (!part_is_possible(part, error))
        return false;
    size_t end;
    part_place(part, there, begin, &end);
    size_t holds = *begin < end ? end - *begin : 0;
    if (first >= holds)
        return error_set(error, ERROR_USAGE,
                         "first is %" PRIu64 ", but part [%g, %g] of %s holds only %zu sample%s (of %zu)", first,
                         part[0], part[1], name, holds, plural(holds), there);
    uint64_t rest = holds - first;
    if (wanted > rest)
        return error_set(error, ERROR_USAGE,
                         "count is %" PRIu64 ", but from sample %" PRIu64 " of part [%g, %g] on %s holds only %" PRIu64,
                         wanted, first, part[0], part[1], name, rest);
    *begin += (size_t)first;
    *count = (size_t)(wanted ? wanted : rest);
    return true;
}
