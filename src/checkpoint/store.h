/* The store: the directory of checkpoints. No index file and no link that could lie: what is there under its final
 * name, is.
 *
 *   step-000000001200.h5                     a checkpoint
 *   step-000000001200.h5.rejected            found invalid by a resume, which then took an older one
 *   .step-000000001200.h5.<token>.partial    being written by the process with that token, or a leftover
 *   .step-000000001200.h5.<token>.deleted    unpublished, about to be deleted, or a leftover */
#ifndef CHECKPOINT_STORE_H
#define CHECKPOINT_STORE_H

#include "base/error.h"
#include "checkpoint/striping.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct store {
    char directory[PATH_MAX - 128];
    char token[20]; /* unique to this life of the job, equal on all ranks: hidden names of two jobs never meet */
    struct striping striping; /* of new files */
};

/* Local. Names only; nothing is touched, and no striping is asked for. `token` is any number that no other job uses. */
bool store_init(struct store *store, const char *run, uint64_t token, struct error *error) WARN_UNUSED;

/* Local. Paths of the checkpoint of a step: final and partial. */
void store_path(const struct store *store, uint64_t step, char path[PATH_MAX]);
void store_partial_path(const struct store *store, uint64_t step, char path[PATH_MAX]);

/* Local. The steps that have a file with a final name, newest first; whether they are valid is for the reader to say.
 * The caller owns *steps (memory_free; NULL if there are none). A directory that does not exist is an empty store. */
bool store_list(const struct store *store, uint64_t **steps, size_t *count, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Gives a finished partial file its final name, over an older file of that step, and syncs the
 * directory: from the rename on the checkpoint exists, also if the sync then fails. */
bool store_publish(const struct store *store, uint64_t step, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Keeps the `keep` newest of the checkpoints up to `newest`, and that of step `best` (0: none),
 * and takes away the older ones: unpublish by rename, sync, delete. Files beyond `newest` are left alone. */
bool store_prune(const struct store *store, uint64_t newest, size_t keep, uint64_t best,
                 struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Gives a checkpoint that was found invalid the name step-....h5.rejected: it can still be looked
 * at, but is no longer counted, nor ever found again by a job that has gone on without it. */
bool store_reject(const struct store *store, uint64_t step, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Takes away every checkpoint; those that were put aside stay. */
bool store_clear(const struct store *store, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Deletes what a killed job left under hidden names. Only under the lock of the run. */
void store_sweep(const struct store *store);

#endif
