/* A rehearsal of a job: some steps, a validation, a save and a resume, in a run directory that is thrown away, and what
 * they take. */
#ifndef TRAIN_REHEARSAL_H
#define TRAIN_REHEARSAL_H

#include "base/memory_use.h"
#include "job/job.h"
#include "train/forecast.h"
#include "train/memory_room.h"

struct rehearsal {
    struct forecast_parts parts;
    uint64_t batch;                 /* samples of a step */
    uint64_t timed;                 /* steps that the median is of */
    double wait_s;                  /* of a step, in the mean: for data. Rank 0's */
    uint64_t validated, validation; /* samples: that were validated, and of the validation data */
    bool is_saved;                  /* else there was no room for a checkpoint, and it was not tried */
    double resume_s;
    uint64_t fingerprint; /* of what was saved, and of what was read back */
    double disk_bytes;    /* room on the disk, without that checkpoint; INFINITY: not known */
    int nodes;

    /* Memory: rank 0's is the world's. */
    struct memory_use most;                  /* the most that any rank had of each */
    double node_bytes;                       /* the most that the ranks of a node had together, private and shared */
    struct memory_room least;                /* of all limits the one that leaves least; needed 0: there are none */
    struct memory_room rooms[MEMORY_LIMITS]; /* [room_count] those of rank 0 */
    size_t room_count;
};

/* Collective over world; the job must be equal on every rank; its run: is a directory that is there and empty. The same
 * verdict and error on every rank. After ERROR_LATE, which may be on this rank alone, the process can only be left. */
bool rehearsal_run(const struct world *world, const struct job *job, struct rehearsal *rehearsal,
                   struct error *error) WARN_UNUSED;

#endif
