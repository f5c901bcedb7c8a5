/* The names of the files in a run directory, all but those of the checkpoints (checkpoint/store.h). */
#ifndef RUN_RUN_FILES_H
#define RUN_RUN_FILES_H

#include <limits.h>
#include <stdbool.h>

enum run_file {
    RUN_LOCK,      /* held by rank 0; its text names the holder (holder.h) */
    RUN_JOB,       /* the job of the last start, complete */
    RUN_METRICS,   /* a line for each step (metrics.h) */
    RUN_HISTORY,   /* lines for each start (history_log.h) */
    RUN_LINEAGE,   /* which copies on the nodes are of this run (lineage.h) */
    RUN_END,       /* when the job's time ends, if that has changed (notice.h) */
    RUN_SAVE,      /* made by somebody who wants a checkpoint now (cadence.h) */
    RUN_LOOKS,     /* what a look at all samples has found (train/looks.h) */
    RUN_SUBMITTED, /* a directory: the jobs as they were submitted (submission.h) */
    RUN_FILES
};

extern const char *const run_file_names[RUN_FILES];

/* Local. RUN/NAME. False: it is too long, and was cut. */
bool run_file_path(const char *run, enum run_file file, char path[PATH_MAX]);

#endif
