/* A snapshot: a frozen copy of this rank's shard of the state at one step, with its digests. Taking it is all that
 * training has to wait for; what is written comes from here. */
#ifndef CHECKPOINT_SNAPSHOT_H
#define CHECKPOINT_SNAPSHOT_H

#include "checkpoint/state.h"
#include "parallel/world.h"

struct snapshot {
    const struct world *world; /* borrowed */
    struct state state;        /* as the trainer's, but the arrays are the snapshot's own memory */
    uint64_t step;
    size_t blocks;                   /* of an arena */
    uint64_t *digests[STATE_ARRAYS]; /* [blocks] of each array, of all ranks */
    uint64_t fingerprint;
    int *counts, *places; /* private: blocks of each rank */
};

/* Local. Allocates for states of this layout. The tensor list of the state is borrowed for the snapshot's life. */
bool snapshot_init(struct snapshot *snapshot, const struct world *world, const struct state *state,
                   struct error *error) WARN_UNUSED;

/* Local. Accepts a released snapshot. */
void snapshot_release(struct snapshot *snapshot);

/* Collective over world; step must be equal on every rank. Copies the state, and gathers digests and fingerprint. */
void snapshot_take(struct snapshot *snapshot, const struct state *state, uint64_t step);

#endif
