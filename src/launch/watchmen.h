/* Who looks after the first node of a batch job of Slurm, the one of the batch script: if that is lost, Slurm takes it
 * out of a job with --no-kill, whose supervisor has died with it, and the job would be RUNNING for ever, with nobody in
 * it. So up to WATCHMEN of the other nodes have a watchman: a step of the job that holds no cores. It gets a sign of
 * life from the supervisor now and then, through srun; if none comes, it asks Slurm, and if Slurm says that the first
 * node does not belong to the running job any more, it has the job requeued. */
#ifndef LAUNCH_WATCHMEN_H
#define LAUNCH_WATCHMEN_H

#include "launch/process.h"
#include "launch/slurm.h"

#define WATCHMEN       2
#define WATCHMEN_NAMES 1000

/* ---- the supervisor's side ---- */

struct watchmen {
    const struct slurm_job *job; /* borrowed */
    struct process step;         /* srun */
    int beat;                    /* where the signs of life go; -1: nowhere */
    int words;                   /* what srun has said; -1: nothing */
    char names[WATCHMEN_NAMES];  /* of the nodes they are on */
    double begun_s, beat_s;
    unsigned failures;   /* starts in a row that came to nothing */
    bool is_unnecessary; /* one node, no batch job, or it was tried in vain */
};

/* Local. Places nobody yet. The job as it is looked at elsewhere. */
void watchmen_init(struct watchmen *watchmen, const struct slurm_job *job);

/* Local. Now and then: gives the sign of life if it is time for it, and replaces them if their step has ended. The
 * first call, and one a while after a step's end, takes as long as scontrol takes. */
void watchmen_keep(struct watchmen *watchmen);

/* Local. Nodes may have been lost: they are placed on others if one of theirs is not there any more. */
void watchmen_move(struct watchmen *watchmen);

/* Local. Sends them home. Accepts those that were never placed. */
void watchmen_release(struct watchmen *watchmen);

/* ---- their own side ---- */

/* Local, in a step of the job. Watches over the node `first` until the supervisor or somebody else ends it, or there is
 * nothing left to watch over. What it has to say goes to the end of the file `log` (the job's; "": nowhere). */
void watchman_run(const char *first, const char *log);

#endif
