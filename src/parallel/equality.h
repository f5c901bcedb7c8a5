/* What has to be the same on every rank although each has it from its own disk, environment or program: named values,
 * compared before anything hangs on them. A difference that is not seen here is seen when it is too late: as a rank
 * that counts other steps and leaves, as gradients of two different models, as a checkpoint that no start goes on
 * from. */
#ifndef PARALLEL_EQUALITY_H
#define PARALLEL_EQUALITY_H

#include "base/error.h"
#include "parallel/world.h"

struct equality_item {
    const char *what;   /* "data.train" */
    const char *value;  /* in words, with the digest of what is too long for words: they are compared, and shown */
    const char *advice; /* what to do if it differs; with `tolerated` what it means */
    bool tolerated;     /* a difference is a warning */
};

/* Collective over world; count, and all of the items but their values, must be equal on every rank. True if every value
 * is the same on all ranks, or may differ. Else false, and ERROR_USAGE, with the same words on all ranks, for the first
 * item that differs: what it is, the lowest rank that has not the value of most (if there is no majority: of rank 0),
 * its host, both values, what to do. Costs one small reduction as long as all is equal. */
bool equality_check(const struct world *world, const struct equality_item *items, size_t count,
                    struct error *error) WARN_UNUSED;

#endif
