/* The final names of checkpoints: step-<12 digits>.h5. */
#ifndef CHECKPOINT_STORE_NAME_H
#define CHECKPOINT_STORE_NAME_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Local. The step in a name that begins with a checkpoint's; *rest becomes what stands behind ".h5". False for every
 * other name. */
bool store_name_parse(const char *name, uint64_t *step, const char **rest);

/* Local. Whether the last part of a path is the final name of a checkpoint, and of which step. */
bool store_is_name(const char *path, uint64_t *step);

/* Local. Whether what holds this step may have this path: one with the final name of another step would be resumed as
 * what it is not. ERROR_CORRUPT. */
bool store_check_name(const char *path, uint64_t holds, struct error *error) WARN_UNUSED;

#endif
