/* The proof that a block of a state is in memory what was written there: it has the checksum that was taken then. */
#ifndef CHECKPOINT_PROOF_H
#define CHECKPOINT_PROOF_H

#include "checkpoint/state.h"

#include <stdbool.h>

/* Local. Whether block `block` of this rank's shard of an array has its checksum, if it was ever taken. */
bool proof_holds(const struct state *state, size_t array, size_t block);

/* Local. ERROR_MEMORY: this block of a state of `step` does not hold. Names host, array, the tensors in the block, and
 * its elements; the rank is for who agrees on it (world_agree). Returns false. */
bool proof_refuse(const struct state *state, size_t array, size_t block, uint64_t step, struct error *error);

/* Local. The same of this node's copy of the parameters, which is not that of their owners; block: of all. */
bool proof_refuse_copy(const struct state *state, size_t block, uint64_t step, struct error *error);

#endif
