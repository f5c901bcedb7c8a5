/* The files that a path of a job file means where it may mean several. */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/error.h"

#include <stddef.h>

struct pattern {
    char **paths; /* [count], in the order of their bytes, whatever the locale */
    size_t count;
};

/* Local. The file of this very name, if there is one, or if it has none of * ? [; else all whose paths match it, as the
 * shell has it (glob(3), without ~ and braces): at least one. Nothing is opened. ERROR_NOT_FOUND: none matches. Release
 * accepts a released one. */
bool pattern_find(struct pattern *pattern, const char *path, struct error *error) WARN_UNUSED;
void pattern_release(struct pattern *pattern);

#endif
