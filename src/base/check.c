#include "base/check.h"

#include "base/rank.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *why, const char *file, int line)
{
    fprintf(stderr, "lockstep: rank %d: %s:%d: this is a bug: %s (%s)\n", rank_get(), file, line, why, condition);
    abort();
}
