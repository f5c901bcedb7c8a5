/* Faults on purpose, for tests: the environment variable LOCKSTEP_FAULT names a point of a commit, of a start or of a
 * validation (see fault_points) at which a process kills (SIGKILL) or stops (SIGSTOP): itself, or all ranks of its
 * node, or the mpirun that has started it (and then goes on, as the others do, until MPI notices).
 *
 *   LOCKSTEP_FAULT=POINT[,step=N][,rank=R][,who=rank|all|mpirun][,signal=kill|stop]
 *
 * By default the first time that rank 0 comes there, itself, and kill. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/error.h"

#include <stdint.h>

enum fault_point {
    FAULT_SNAPSHOT_TAKEN, /* nothing is on disk yet */
    FAULT_FILE_CREATED,   /* laid out, with nothing in the datasets */
    FAULT_SPACE_RESERVED, /* full size, zeros */
    FAULT_SHARD_WRITTEN,  /* this rank's part of the first array is written */
    FAULT_FILE_CLOSED,    /* all data written, not proven */
    FAULT_DATA_VERIFIED,  /* read back and equal, no commit record */
    FAULT_RECORD_WRITTEN, /* commit record in, not synced */
    FAULT_FILE_SYNCED,    /* on disk, under the hidden name */
    FAULT_RENAMED,        /* published, directory not synced */
    FAULT_COMMITTED,      /* published and synced, nothing pruned */
    FAULT_UNPUBLISHED,    /* an old one is hidden, not deleted */
    FAULT_PRUNED,         /* all done */
    /* Of a start; the step is the one that it goes on from. */
    FAULT_RESTORE_OPENED,   /* a checkpoint is open, nothing is loaded */
    FAULT_RESTORE_LOADED,   /* this rank's shards are loaded */
    FAULT_RESTORE_REJECTED, /* an invalid one is put aside, perhaps not all of them */
    FAULT_JOB_WRITTEN,      /* job.yaml is that of this start, the metrics are still those of the last one */
    FAULT_METRICS_CUT,      /* lines beyond the step are gone */
    FAULT_LOCAL_WRITTEN,    /* of the second tier: this rank's piece is in its file, under the hidden name */
    FAULT_LOCAL_SENT,       /* and those of the partners, too */
    FAULT_LOCAL_RENAMED,    /* this rank's pieces count, older sets are still there */
    /* Of a validation; the step is the one after which it is due. */
    FAULT_VALIDATING, /* all of it is to be done */
    FAULT_VALIDATED,  /* its line is written, no checkpoint knows of it */
    FAULT_POINTS
};

/* The names for LOCKSTEP_FAULT, by point. */
extern const char *const fault_points[FAULT_POINTS];

/* Local. Reads LOCKSTEP_FAULT; a value that does not parse is a usage error. */
bool fault_init(int rank, struct error *error) WARN_UNUSED;

/* Local. Kills or stops if this is the chosen point, step and rank; else nothing. */
void fault_at(enum fault_point point, uint64_t step);

#endif
