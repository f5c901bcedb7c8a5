/* A session: everything that one run of a job holds, from the lock on its directory to the arenas. Made by
 * start_session, used by the trainer's loop, by saving and by resuming. */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include "base/directory.h"
#include "checkpoint/record.h"
#include "checkpoint/store.h"
#include "parallel/heartbeat.h"
#include "policy/cadence.h"
#include "policy/deadline.h"
#include "policy/pause.h"
#include "run/history_log.h"
#include "train/core_watch.h"
#include "train/data_memory.h"
#include "train/evaluator.h"
#include "train/learner.h"
#include "train/saving.h"
#include "train/training_data.h"

struct restore;
struct watchdog_limits;

struct session_options {
    bool fresh;                              /* begin at step 0; refused if there are checkpoints */
    bool overwrite;                          /* with fresh: take them away */
    int ranks_per_node;                      /* 0: as it is; n: pretend that n consecutive ranks are a node */
    void (*lost)(const struct error *error); /* ends the job at once, from any thread: see checkpoint/saver.h */
    double meeting_s;      /* what a meeting of all ranks may take at a start and at the end (base/watchdog.h); 0: any
                            * time */
    const char *init_from; /* weights to begin with, if the job begins at all (warm_start.h); NULL: none */
    const char *branch; /* the checkpoint of another run to go on from, if there is none here (branch.h); NULL: none */
    bool partial;       /* with init_from: it may lack tensors, and have others */
    const char *key;    /* whose start it is: of the batch job or the supervisor (submission.h); "": nobody's */
    const char *trace;  /* file for the timeline of all ranks (timeline_file.h), when the run ends; NULL: none */
    struct pause_spec stop_after;
    struct job_allowed allowed;
};

/* The run directory, held. */
struct held_directory {
    struct directory directory; /* by each rank */
    int lock;                   /* rank 0's lock on it; -1: none */
    double looked_s;            /* when rank 0 has looked last what has become of it, */
    bool is_moved;              /* and what it has seen; */
    bool lock_is_lost;          /* its file was deleted, and could not be made again */
    bool job_is_lost;           /* the same of job.yaml */
};

struct session {
    const struct world *world;
    const struct job *job;
    const struct session_options *options;
    struct restore *restore; /* while it is being opened; NULL: it is open */

    struct heartbeat *heartbeat; /* NULL: none */
    struct held_directory held;
    struct store store;
    struct metrics metrics;         /* rank 0's */
    struct history_log history_log; /* rank 0's */
    struct record record; /* of the newest checkpoint, then kept up to date; the texts and segments are ours */

    struct training_data data;
    struct data_memory data_memory;
    struct learner learner;
    struct evaluator evaluator;
    struct saving saving;
    struct cadence cadence;
    struct deadline deadline;
    struct core_watch cores;
    struct pause pause; /* of this run, if it was asked for */

    struct error memory_error; /* what this rank has found wrong in memory (memory_watch.h) */

    uint64_t steps; /* of the whole job: train.steps, or what train.epochs are */
    uint64_t step;  /* steps done */
    double loss;    /* of that step; NaN before the first */
};

/* Collective over world. Accepts a closed session. */
void session_close(struct session *session);

/* Local; the same on every rank. Whether a validation is due after this step, which it always is after the last one;
 * and whether that of the session's step is still to be made: the life before may have left it to this one. */
bool session_validation_is_due(const struct session *session, uint64_t step);
bool session_validation_is_pending(const struct session *session);

/* Local, rank 0's work. How long a save that is begun now is expected to take, in seconds, with the one that runs, if
 * one does. */
double session_save_needs(const struct session *session);

/* Local. How long the calls of a disk may take, and, at the start and at the end, meetings of all ranks; heartbeat: 0
 * takes both away, also from the start so far. In training ranks wait for each other as long as the slowest needs for
 * its part: that has no limit. */
void session_limits(const struct session *session, bool over_meetings, struct watchdog_limits *limits);

#define SESSION_NEWEST 80

/* Local. The words for what stands on the disk. */
void session_tell_newest(const struct session *session, char words[SESSION_NEWEST]);

/* Local. From here on these hold. */
void session_watch_meetings(const struct session *session, bool over_meetings);

/* Local. What the sum over a batch is divided by: its terms (see nn/loss.h). */
static inline double session_batch_terms(const struct session *session)
{
    return (double)session->job->train.batch * (double)session->learner.model.terms;
}

#endif
