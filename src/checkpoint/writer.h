/* The writer: a snapshot becomes a checkpoint, or nothing. All ranks write one file together.
 *
 * The order, each step agreed before the next: create and reserve the space; write; sync; close; read back and compare
 * with the digests taken from memory; write the commit record; sync the file; rename; sync the directory; prune. Up to
 * the rename there is only a hidden file that nobody reads. */
#ifndef CHECKPOINT_WRITER_H
#define CHECKPOINT_WRITER_H

#include "checkpoint/record.h"
#include "checkpoint/snapshot.h"
#include "checkpoint/store.h"

struct commit {
    uint64_t bytes;  /* size of the file */
    double write_ms; /* from the creation to the synced rename */
    bool pruned;     /* false: the checkpoint stands, but older ones could not be taken away */
    struct error prune_error;
};

/* Collective over snapshot->world; record, store and keep must be equal on every rank. Step and fingerprint are taken
 * from the snapshot. The same verdict and error on every rank. After failure: what was there before stands, and nothing
 * new is left behind (as far as the disk lets us delete). */
bool writer_commit(const struct snapshot *snapshot, const struct record *record, const struct store *store, size_t keep,
                   struct commit *commit, struct error *error) WARN_UNUSED;

#endif
