/* Keeps a job alive: starts its launcher (mpirun, srun), and starts it again when it has died, until the training is
 * finished, somebody asks it to leave, or there is no sense in going on.
 *
 * Each launch starts the job as it was submitted (run/submission.h). What one has come to (ending.h) decides: done;
 * leave; or again, at once after progress (a newer checkpoint), else with a growing pause. It gives up after `restarts`
 * launches in a row without progress, after the second failure with the same words, and if the batch job was requeued
 * so often without having come to work. Launches count across requeues; not those that lack a file which was there
 * once, or room on a disk that a life before has found, or whose lock an earlier start still has: that is waited for. A
 * run that another job holds ends it at once. A launch that was ended because it took too long to begin lets the next
 * one take twice as long.
 *
 * Signals: SIGUSR1 goes to the launcher as it is (a warning, see policy/deadline.h); SIGUSR2, SIGTERM, SIGINT, SIGHUP,
 * SIGXCPU and SIGPWR become SIGUSR2 (mpirun passes that on, while on SIGTERM it gives its ranks a second); SIGALRM
 * stays. A second SIGINT is SIGTERM to the launcher.
 *
 * Inside a batch job of Slurm it also gives the job its end time (telling.h), leaves lost nodes out (preparation.h),
 * waits for ranks that outlive srun, and has the job requeued when it leaves (slurm.h). On other nodes it has somebody
 * who does that if its own is lost (watchmen.h).
 *
 * What can happen, and what is done then, is the table in supervision.c; launch.h does what belongs to one launch, this
 * what lies between two; sight.h looks at the run, and sense.h decides whether another launch is worth it. */
#ifndef LAUNCH_SUPERVISOR_H
#define LAUNCH_SUPERVISOR_H

#include "base/error.h"
#include "launch/supervisor_options.h"

enum supervisor_outcome {
    SUPERVISOR_FINISHED,
    SUPERVISOR_LEFT, /* to be started again: by somebody, or it is requeued already */
    SUPERVISOR_GAVE_UP,
    SUPERVISOR_REFUSED,
};

/* Local. Returns when all is over; the error says why if it gave up or could not start (also: the launcher cannot
 * be started). */
enum supervisor_outcome supervisor_run(const struct supervisor_options *options, struct error *error);

#endif
