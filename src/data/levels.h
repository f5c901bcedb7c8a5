/* The floats of pixels that are stored as bytes: b becomes (b / 255 - mean) / std, in double and rounded once. */
#ifndef DATA_LEVELS_H
#define DATA_LEVELS_H

#include "base/error.h"

struct levels {
    float level[256]; /* the float of each byte */
};

/* Local. ERROR_USAGE: mean or std is not finite, or std is not above 0. */
bool levels_check(double mean, double std, struct error *error) WARN_UNUSED;

/* Local. ERROR_USAGE: mean or std is not finite, std is not above 0, or a byte goes beyond a float with them. */
bool levels_set(struct levels *levels, double mean, double std, struct error *error) WARN_UNUSED;

#endif
