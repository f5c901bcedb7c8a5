/* A session: everything that one run of a job holds, from the lock on its directory to the arenas. Made by
 * session_open, used by the trainer's loop, by saving and by resuming. */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include "base/directory.h"
#include "base/text.h"
#include "checkpoint/local.h"
#include "checkpoint/record.h"
#include "checkpoint/saver.h"
#include "checkpoint/store.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "nn/model.h"
#include "parallel/exchange.h"
#include "parallel/heartbeat.h"
#include "parallel/tally.h"
#include "train/cadence.h"
#include "train/chronicle.h"
#include "train/deadline.h"
#include "train/evaluator.h"
#include "train/job.h"
#include "train/metrics.h"
#include "train/pause.h"
#include "train/update.h"

struct session_options {
    bool fresh;                              /* begin at step 0; refused if there are checkpoints */
    bool overwrite;                          /* with fresh: take them away */
    int ranks_per_node;                      /* 0: as it is; n: pretend that n consecutive ranks are a node */
    void (*lost)(const struct error *error); /* ends the job at once, from any thread: see checkpoint/saver.h */
    double
        meeting_s; /* what a meeting of all ranks may take at a start and at the end (base/watchdog.h); 0: any time */
    const char *init_from; /* weights to begin with, if the job begins at all (warm_start.h); NULL: none */
    bool partial;          /* with init_from: it may lack tensors, and have others */
    const char *key;       /* whose start it is: of the batch job or the supervisor (submission.h); "": nobody's */
    struct pause_spec stop_after;
    struct job_allowed allowed;
};

/* A save that has been begun. */
struct save {
    bool runs;
    bool late;    /* a rank hangs over it */
    bool is_copy; /* of copies on the nodes, and not of a file */
    uint64_t step;
    unsigned reasons;           /* flags.h; 0: copies, or the job leaves */
    bool frozen;                /* the used arrays are being saved: they must not change */
    struct retention retention; /* what it leaves of older ones */
    bool replaced;              /* by the last save of the job, of the same step */
    double stall_s;             /* by which it has lengthened training's way so far */
};

/* When the content of a dataset was read again, and how long that took. */
struct data_proof {
    double ended_s, took_s;
};

/* What this rank has seen of changes in the data (data_watch.h). */
struct data_watch {
    unsigned wrong;                             /* DATA_IS_WRONG, VALIDATION_IS_WRONG: what was found stays found */
    unsigned agreed;                            /* that of it which all ranks know of */
    struct error train_error, validation_error; /* of these */
    double looked_s;                            /* when the files were looked at */
    struct data_proof train_proof, validation_proof;
};

struct session {
    const struct world *world;
    const struct job *job;
    const struct session_options *options;

    struct heartbeat *heartbeat; /* NULL: none */
    struct node node;
    bool node_is_open;
    struct directory run; /* held, by each rank */
    int lock;             /* rank 0's lock on it; -1: none */
    double looked_s;      /* when rank 0 has looked last what has become of it, */
    bool run_is_moved;    /* and what it has seen; */
    bool lock_is_lost;    /* its file was deleted, and could not be made again */
    bool job_is_lost;     /* the same of job.yaml */
    struct store store;
    struct metrics metrics;     /* rank 0's */
    struct chronicle chronicle; /* rank 0's */
    struct cadence cadence;

    struct dataset train, validation;
    struct data_watch data_watch;
    struct sampler sampler;
    uint64_t *indices; /* [microbatch] */
    struct model model;
    struct exchange *exchange;
    struct shard shard;         /* this rank's part of every arena */
    struct update_arrays used;  /* the learned arrays of this rank's shard */
    struct update_arrays other; /* where the next update goes while a save has the used ones */
    struct update update;
    struct tally tally; /* an item a leaf: loss */
    struct pause pause; /* of this run, if it was asked for */
    struct deadline deadline;
    struct evaluator evaluator;

    struct state state;           /* the learned arrays, for checkpoints */
    struct state_tensor *tensors; /* [model.table.length] */
    struct council council;       /* of the restore */
    struct patience patience;
    struct saver *saver;
    struct save save;     /* the one that runs */
    struct local local;   /* copies on the nodes; closed: there are none */
    bool renew_copies;    /* those on the nodes are as other ranks have left them: new ones are due */
    bool copies_failed;   /* the last time */
    bool no_copies;       /* none are made any more: see local_save */
    double update_s;      /* of an update in place, on the average; 0: not known */
    struct record record; /* of the newest checkpoint, then kept up to date; the texts and segments are ours */
    struct text passport;
    uint64_t kept_every; /* checkpoint.keep_every of the job that wrote the checkpoint */
    struct text changes; /* in what the job differs from that of the checkpoint, a line each */

    uint64_t steps;      /* of the whole job: train.steps, or what train.epochs are */
    uint64_t step;       /* steps done */
    double loss;         /* of that step; NaN before the first */
    unsigned heard;      /* while the validation runs: what any rank was asked from outside */
    uint64_t saved_step; /* of the newest checkpoint file; UINT64_MAX: there is none */
    uint64_t retry_wait; /* steps from the last failed save to the next attempt; 0: none failed */
    unsigned put_off;    /* reasons of a save that waits until a step is taken again (flags.h) */
    unsigned owed;       /* SAVE_KEEP: a save that was to stay for ever has failed, and the next takes its place */
    uint64_t retry_step; /* a failed save is tried again when this step is done; 0: none failed */
};

/* Collective over world. Locks and makes the run directory, opens data, builds the model, allocates, and puts the state
 * to the newest valid checkpoint, or a newer set of copies on the nodes, or to step 0. After failure everything is
 * closed; but not after ERROR_LATE: then a rank is missing, and the process can only be left. */
bool session_open(struct session *session, const struct world *world, const struct job *job,
                  const struct session_options *options, struct error *error) WARN_UNUSED;

/* Collective over world. Accepts a closed session. */
void session_close(struct session *session);

/* Collective over world, while the session is being opened. As world_agree, for what a disk can make late: each phase
 * of a restore has this limit, and ERROR_LATE names who is not done with `what`. */
bool session_agree(struct session *session, bool ok, const char *what, struct error *error) WARN_UNUSED;

/* Local; on every rank at the same place between exchange_reduce and exchange_distribute. The used and the other arrays
 * change roles, those of the exchange included. */
void session_turn(struct session *session);

/* Local. The parameters of the node, [P]. */
static inline float *session_params(const struct session *session)
{
    return exchange_params(session->exchange);
}

/* Local. What the sum over a batch is divided by: its terms (see nn/loss.h). */
static inline double session_batch_terms(const struct session *session)
{
    return (double)session->job->train.batch * (double)session->model.terms;
}

#endif
