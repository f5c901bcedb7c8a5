/* The lineage of a run: which copies on the nodes a start may go on from. Not from those of a start before one that
 * went back behind them. */
#ifndef RUN_LINEAGE_H
#define RUN_LINEAGE_H

#include "checkpoint/store.h"

/* Local, rank 0's work. Writes the lineage of this start into the run directory, for the next one. */
bool lineage_write(const char *run, uint64_t lineage, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. What the last start has left; else that of the newest of the files of steps[count] that opens.
 * False: there is none. */
bool lineage_find(const char *run, const struct store *store, const uint64_t *steps, size_t count, uint64_t *lineage);

#endif
