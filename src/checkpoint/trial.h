/* A trial write before the first step: what else only the first save would show, after hours. */
#ifndef CHECKPOINT_TRIAL_H
#define CHECKPOINT_TRIAL_H

#include "checkpoint/store.h"
#include "parallel/agreement.h"

/* Collective over agreement, in a round of its own. All ranks write a small hidden file in the store together, through
 * the calls of a save (the layout by rank 0, the reservation, each rank's part with MPI-IO, reading back), and rank 0
 * deletes it. Nothing is synced: it takes some milliseconds. What a kill leaves is swept by the next start. The error
 * names the rank and its host: a run directory that not all nodes share is an ERROR_USAGE. */
bool trial_write(struct agreement *agreement, const struct store *store, double patience_s,
                 struct error *error) WARN_UNUSED;

#endif
