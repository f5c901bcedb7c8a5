/* A session: everything that one run of a job holds, from the lock on its directory to the arenas. Made by
 * session_open, used by the trainer's loop, by saving and by resuming. */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include "base/text.h"
#include "checkpoint/record.h"
#include "checkpoint/snapshot.h"
#include "checkpoint/store.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "nn/model.h"
#include "parallel/exchange.h"
#include "parallel/tally.h"
#include "train/evaluator.h"
#include "train/job.h"
#include "train/metrics.h"
#include "train/update.h"

struct session_options {
    bool fresh;            /* begin at step 0; refused if there are checkpoints */
    bool overwrite;        /* with fresh: take them away */
    int ranks_per_node;    /* 0: as it is; n: pretend that n consecutive ranks are a node */
    const char *init_from; /* weights to begin with, if the job begins at all (warm_start.h); NULL: none */
    bool partial;          /* with init_from: it may lack tensors, and have others */
};

struct session {
    const struct world *world;
    const struct job *job;
    const struct session_options *options;

    struct node node;
    bool node_is_open;
    int lock; /* rank 0's hold on the run directory; -1: none */
    struct store store;
    struct metrics metrics; /* rank 0's */

    struct dataset train, validation;
    struct sampler sampler;
    uint64_t *indices; /* [microbatch] */
    struct model model;
    struct exchange *exchange;
    struct shard shard;                /* this rank's part of every arena */
    float *moments[OPTIMIZER_MOMENTS]; /* [shard.count] each; NULL behind the last */
    float *average;                    /* [shard.count] EMA of the parameters; NULL: the job has none */
    struct update update;
    struct tally tally; /* an item a leaf: loss */
    struct evaluator evaluator;

    struct state state;           /* the learned arrays, for checkpoints */
    struct state_tensor *tensors; /* [model.table.length] */
    struct snapshot snapshot;
    struct record record; /* of the newest checkpoint, then kept up to date; the texts and segments are ours */
    struct text passport;

    uint64_t step;       /* steps done */
    double loss;         /* of that step; NaN before the first */
    uint64_t saved_step; /* of the newest checkpoint; UINT64_MAX: there is none */
    uint64_t retry_wait; /* steps from the last failed save to the next attempt; 0: none failed */
    uint64_t retry_step; /* a failed save is tried again when this step is done; 0: none failed */
};

/* Collective over world. Locks and makes the run directory, opens data, builds the model, allocates, and puts the state
 * to the newest valid checkpoint or to step 0. After failure everything is closed. */
bool session_open(struct session *session, const struct world *world, const struct job *job,
                  const struct session_options *options, struct error *error) WARN_UNUSED;

/* Collective over world. Accepts a closed session. */
void session_close(struct session *session);

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
