/* A snapshot: the state of one step, standing still while it is written, with its digests. It holds no copy: it borrows
 * the arrays, and who makes the next step writes that into other arrays. Taking it costs training nothing. */
#ifndef CHECKPOINT_SNAPSHOT_H
#define CHECKPOINT_SNAPSHOT_H

#include "checkpoint/state.h"
#include "parallel/agreement.h"
#include "parallel/world.h"

struct snapshot {
    const struct world *world; /* borrowed */
    struct state state;        /* whose arrays stand still */
    uint64_t step;
    size_t blocks;                   /* of an arena */
    uint64_t *digests[STATE_ARRAYS]; /* [blocks] of each array, of all ranks */
    uint64_t fingerprint;
    int *counts, *places; /* private: blocks of each rank */
};

/* Local. Allocates for states of this layout. The world and the tensor list of the state are borrowed. */
void snapshot_init(struct snapshot *snapshot, const struct world *world, const struct state *state);

/* Local. Accepts a released snapshot. */
void snapshot_release(struct snapshot *snapshot);

/* Local. From now on the arrays of `state`, which is of the layout of snapshot_init, must not change, until the
 * snapshot is not needed any more. */
void snapshot_take(struct snapshot *snapshot, const struct state *state, uint64_t step);

/* Collective over agreement, in a round of its own. Digests of all blocks, and the fingerprint: on every rank. False
 * with ERROR_MEMORY if a block has not the checksum that the state has for it (proof.h), and with ERROR_LATE as
 * agreement_agree and agreement_gather. */
bool snapshot_digest(struct snapshot *snapshot, struct agreement *agreement, double patience_s,
                     struct error *error) WARN_UNUSED;

#endif
