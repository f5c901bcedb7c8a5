/* The layout of a new checkpoint file: everything but its data, its fingerprint and its seal. */
#ifndef CHECKPOINT_LAYOUT_H
#define CHECKPOINT_LAYOUT_H

#include "checkpoint/record.h"
#include "checkpoint/snapshot.h"
#include "checkpoint/store.h"

/* Local. The room that a checkpoint needs on the disk, about, in bytes. */
uint64_t layout_bytes(const struct state *state, const struct store *store);

/* Local, rank 0's work. Makes the file `path`, at its full size, *bytes, all of it reserved: arrays and digests have
 * their places, and nothing in them. Makes the store's directory again if it is gone. After failure a file may be left.
 */
bool layout_make(const struct snapshot *snapshot, const struct record *record, const struct store *store,
                 const char *path, uint64_t *bytes, struct error *error) WARN_UNUSED;

#endif
