/* One launch of a supervised job, from the start of its launcher to its end, and the signals that come meanwhile, or
 * between two launches. */
#ifndef LAUNCH_LAUNCH_H
#define LAUNCH_LAUNCH_H

#include "launch/preparation.h"
#include "launch/process.h"
#include "launch/sense.h"
#include "launch/sight.h"
#include "launch/slurm.h"
#include "launch/supervision.h"
#include "launch/supervisor_options.h"
#include "launch/telling.h"
#include "launch/watchmen.h"

struct launch {
    const struct supervisor_options *options; /* borrowed, as ... */
    struct supervision *supervision;          /* ... what all launches have in common */
    struct sight *sight;
    struct sense *sense;
    struct slurm_job *slurm;
    struct preparation preparation;
    struct process launcher;
    struct watchmen watchmen;
    struct telling telling;
    size_t lives;         /* of the run when the launcher was started */
    double launched_s;    /* when that was; times are clock_seconds */
    double kill_s;        /* when a launcher that is being ended is killed */
    double last_call_s;   /* when to ask for a requeue if the launcher is still there; infinite: not */
    int heard;            /* the signal that has come last, */
    int asked;            /* and the last of these by which somebody wants the job to leave; 0: nobody does */
    struct error refusal; /* why this launch has come to no life, if its ranks have told */
};

/* Local. Before the environment is changed, and anybody has heard a signal. Borrows all of it. */
void launch_init(struct launch *launch, const struct supervisor_options *options, struct supervision *supervision,
                 struct sight *sight, struct sense *sense, struct slurm_job *slurm);
void launch_release(struct launch *launch);

/* Local. The actions of the same names: return what has come of it. The error: why the launcher could not be started.
 */
enum supervision_event launch_start(struct launch *launch, struct error *error);
enum supervision_event launch_watch(struct launch *launch);
enum supervision_event launch_judge(struct launch *launch, struct error *error);

/* Local. Something has happened while one of the other actions goes on: does what is to be done on the spot. */
void launch_happens(struct launch *launch, enum supervision_event event);

/* Local. Waits for a signal or the end of a child, and does what the signal asks for. */
void launch_attend(struct launch *launch, double seconds);

/* Local. Looks whether the job is at its work now; if so, that happens (EVENT_AT_WORK), with all that the table has
 * done then. */
bool launch_find_work(struct launch *launch);

#endif
