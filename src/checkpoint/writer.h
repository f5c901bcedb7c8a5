/* The writer: a snapshot becomes a checkpoint, or nothing. All ranks write one file together.
 *
 * The order, each step agreed before the next: rank 0 lays out a hidden file and reserves its space; all ranks write
 * their shards, and nothing but them; sync; close; read back and compare with the digests taken from memory; commit
 * record; seal; sync the file; rename; sync the directory; prune. Up to the rename there is only a hidden file that
 * nobody reads.
 *
 * Rank 0 lays out alone, and each rank opens the file with MPI-IO for itself (MPI_COMM_SELF): a rank whose write fails
 * leaves a collective close of HDF5 1.10 early, at the latest when rank 0 rewrites the superblock, and the others wait
 * for it for ever. Here all that ranks do together is to agree. */
#ifndef CHECKPOINT_WRITER_H
#define CHECKPOINT_WRITER_H

#include "checkpoint/patience.h"
#include "checkpoint/record.h"
#include "checkpoint/snapshot.h"
#include "checkpoint/store.h"
#include "parallel/agreement.h"

struct commit {
    uint64_t bytes;  /* size of the file */
    double write_ms; /* from the creation to the synced rename */
    double data_ms;  /* of that: all arrays written and synced */
    bool pruned;     /* false: the checkpoint stands, but older ones could not be taken away. Rank 0's to know */
    struct error prune_error;
};

/* Collective over agreement, in the round of snapshot_digest. store and retention must be equal on every rank; of the
 * record that of rank 0 counts. Step and fingerprint are taken from the snapshot. The same verdict and error on every
 * rank, as agreement_agree has it, late ranks included. After failure: what was there before stands, and nothing new is
 * left behind (as far as the disk lets us delete; if only the last sync of the directory failed, the new checkpoint is
 * there). */
bool writer_commit(struct agreement *agreement, const struct snapshot *snapshot, const struct record *record,
                   const struct store *store, const struct retention *retention, struct patience *patience,
                   struct commit *commit, struct error *error) WARN_UNUSED;

#endif
