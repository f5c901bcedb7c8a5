/* The store: the directory of checkpoints. No index file and no link that could lie: what is there under its final
 * name, is.
 *
 *   step-000000001200.h5                     a checkpoint
 *   step-000000001200.h5.pinned              an empty marker: this one is never taken away (see pin.h)
 *   step-000000001200.h5.rejected            found invalid by a resume, which then took an older one
 *   .step-000000001200.h5.<token>.partial    being written by the process with that token, or a leftover
 *   .step-000000001200.h5.<token>.deleted    unpublished, about to be deleted, or a leftover
 *
 * A name is not yet a reason to delete: what lockstep did not write is left alone, whatever it is called. */
#ifndef CHECKPOINT_STORE_H
#define CHECKPOINT_STORE_H

#include "base/directory.h"
#include "base/error.h"
#include "checkpoint/history.h"
#include "checkpoint/striping.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_REJECTED 2  /* of the checkpoints that were put aside, this many stay: the newest */
#define STORE_MOVED    64 /* bytes of a path that begins at a handle */

struct store {
    char directory[PATH_MAX - 128];
    char token[20];        /* unique to this life of the job, equal on all ranks: hidden names of two jobs never meet */
    struct directory *run; /* the run directory, held; borrowed. NULL: who only reads holds none */
    char moved[STORE_MOVED];  /* a path of `directory` that begins at that handle, while it is not where it was; "" */
    struct striping striping; /* of new files */
};

/* Which checkpoints stay: those for which one of these says so, and those that are pinned. */
struct retention {
    size_t newest;               /* this many of the newest */
    uint64_t every;              /* those whose step is a multiple of this; 0: none */
    uint64_t best[HISTORY_BEST]; /* [best_count] these steps */
    size_t best_count;
};

/* Local. Names only; nothing is touched, and no striping is asked for. `token` is any number that no other job uses. */
bool store_init(struct store *store, const char *run, uint64_t token, struct error *error) WARN_UNUSED;

/* Local. Paths of the checkpoint of a step, by its state. */
void store_path(const struct store *store, uint64_t step, char path[PATH_MAX]);
void store_rejected_path(const struct store *store, uint64_t step, char path[PATH_MAX]);
void store_partial_path(const struct store *store, uint64_t step, char path[PATH_MAX]);
void store_deleted_path(const struct store *store, uint64_t step, char path[PATH_MAX]);

/* Local. A name for a file in the store that MPI-IO takes for nothing else: ROMIO takes what stands before a colon for
 * a kind of file system. Then it is one that begins at the handle of the run directory; else `path`. */
void store_plain_name(const struct store *store, const char *path, char name[PATH_MAX]);

/* Local, before a save, by whoever saves. Looks what has become of the run directory: if it was moved, all paths lead
 * to where it is now, so that nothing comes to lie in two places; if it was deleted, that which has its path now is
 * held, if there is one. */
void store_follow(struct store *store);

/* Local. The steps that have a file with a final name, newest first; whether they are valid is for the reader to say.
 * The caller owns *steps (memory_free; NULL if there are none). A directory that does not exist is an empty store. */
bool store_list(const struct store *store, uint64_t **steps, size_t *count, struct error *error) WARN_UNUSED;

/* Local. The steps that have a rejected file, in the same way. */
bool store_list_rejected(const struct store *store, uint64_t **steps, size_t *count, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Makes the directory again if somebody has deleted it under the job, and says so: what was in it
 * is lost, what is saved from now on need not be. ERROR_USAGE if it is a link: what lies in a run directory is none. */
bool store_restore_directory(const struct store *store, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Gives a finished partial file its final name, over an older file of that step, and syncs the
 * directory: from the rename on the checkpoint exists, also if the sync then fails. A file of that name which is not
 * ours is put aside as .rejected before. */
bool store_publish(const struct store *store, uint64_t step, struct error *error) WARN_UNUSED;

/* Local, rank 0's work, after a commit. Of the checkpoints up to `newest` takes away those that need not stay:
 * unpublish by rename, sync, delete. Files beyond `newest` are left alone; those that are not ours, too, and do not
 * count. Also deletes all but the newest STORE_REJECTED of our rejected ones. */
bool store_prune(const struct store *store, uint64_t newest, const struct retention *retention,
                 struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Pins the checkpoints whose step is a multiple of `every`, but not of `unless` (0: of nothing):
 * they were to stay for ever, and `every` is no longer the job's. *count: how many. */
bool store_pin_every(const struct store *store, uint64_t every, uint64_t unless, size_t *count,
                     struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Gives a checkpoint that was found invalid the name step-....h5.rejected: it can still be looked
 * at, but is no longer counted, nor ever found again by a job that has gone on without it. */
bool store_reject(const struct store *store, uint64_t step, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Takes away every checkpoint; what has a final name but is not ours is put aside as .rejected,
 * and what was put aside before stays. If one is pinned: ERROR_USAGE that names those, and nothing is changed. */
bool store_clear(const struct store *store, struct error *error) WARN_UNUSED;

/* Local. The room for new checkpoints (file_free_bytes). */
uint64_t store_free_bytes(const struct store *store);

/* Local; rank: this one's, so that ranks do not meet. Whether this process can write a plain file among the
 * checkpoints; it is removed again. */
bool store_takes_files(const struct store *store, int rank);

/* Local, rank 0's work. Deletes what a killed job left under hidden names, and the markers of checkpoints that are
 * gone. Only under the lock of the run. */
void store_sweep(const struct store *store);

#endif
