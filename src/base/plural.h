/* The "s" of what is counted. */
#ifndef BASE_PLURAL_H
#define BASE_PLURAL_H

#include <stdint.h>

/* Local. Of a noun behind its number: "1 step", "2 steps". */
static inline const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

#endif
