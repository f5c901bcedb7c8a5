/* A run in one line: how it stands, how far it is, how good it is. From its files alone; it may be at work. */
#ifndef RUN_RUN_SUMMARY_H
#define RUN_RUN_SUMMARY_H

#include "base/error.h"
#include "job/job.h"

/* A validation, by the metric of the job. */
struct run_validation {
    uint64_t step;
    double value; /* NaN: there is none */
};

struct run_summary {
    const char *state;    /* "running", "finished" (early stopping, too), "saved" (and wants to be run again), "failed",
                           * "dead" (killed), "new" (it has not begun); not owned */
    uint64_t step;        /* the last one that it tells of */
    double loss;          /* of that step; NaN: not known */
    double samples_per_s; /* the newest that it tells; NaN: none */
    struct run_validation last, best;
    double seen_unix;    /* when it has last written its metrics; 0: never */
    bool has_job;        /* RUN/job.yaml could be read: */
    struct job job;      /* owned */
    struct error no_job; /* else why not */
    bool is_nothing;     /* its directory has nothing of a run: its start was refused, and nobody is at it */
};

/* Local. Whether a directory looks like that of a run: it has checkpoints, or a history. */
bool run_summary_is_run(const char *directory);

/* Local. Only reads. False: it is no run, or its history cannot be read. The caller releases the summary, after failure
 * too. */
bool run_summary_look(struct run_summary *summary, const char *run, struct error *error) WARN_UNUSED;
void run_summary_release(struct run_summary *summary);

#endif
