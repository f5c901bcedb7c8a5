#include "checkpoint/store_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool store_name_parse(const char *name, uint64_t *step, const char **rest)
{
    int used = 0;
    char again[64];
    if (sscanf(name, "step-%" SCNu64 ".h5%n", step, &used) != 1 || used == 0)
        return false;
    *rest = name + used;
    snprintf(again, sizeof again, "step-%012" PRIu64 ".h5", *step);
    return strncmp(again, name, (size_t)used) == 0 && again[used] == '\0';
}

bool store_is_name(const char *path, uint64_t *step)
{
    const char *slash = strrchr(path, '/'), *rest;
    return store_name_parse(slash ? slash + 1 : path, step, &rest) && !*rest;
}

bool store_check_name(const char *path, uint64_t holds, struct error *error)
{
    uint64_t step;
    return !store_is_name(path, &step) || step == holds ||
           error_set(error, ERROR_CORRUPT, "%s: it holds step %" PRIu64, path, holds);
}
