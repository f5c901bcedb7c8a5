/* What is trained, as one rank has it: the model, the parameters of its node, and its shard of everything that an
 * update moves. */
#ifndef TRAIN_LEARNER_H
#define TRAIN_LEARNER_H

#include "checkpoint/state.h"
#include "job/job.h"
#include "nn/model.h"
#include "parallel/exchange.h"
#include "parallel/tally.h"
#include "train/update.h"

/* Of each leaf all ranks know in the end. */
enum {
    LEAF_LOSS,
    LEAF_TERMS /* that count */,
    LEAF_WAITED_S /* for its samples */,
    LEAF_CORE_SHARE /* core_watch.h */,
    LEAF_NUMBERS
};

struct learner {
    struct node node;
    bool node_is_open;
    struct model model;
    struct exchange *exchange;
    struct shard shard;         /* this rank's part of every arena */
    struct update_arrays used;  /* the learned arrays of this rank's shard */
    struct update_arrays other; /* where the next update goes while a save has the used ones */
    struct update update;
    double update_s;              /* of one in place, on the average; 0: not known */
    struct tally tally;           /* an item a leaf, of LEAF_NUMBERS */
    struct state state;           /* the used arrays, for checkpoints */
    struct state_tensor *tensors; /* [model.table.length] */
};

/* Local. Builds the model, without memory for parameters or passes. The job is borrowed. ERROR_USAGE: it does not fit
 * samples of this form. Whatever fails, here and below: learner_close. */
bool learner_init(struct learner *learner, const struct job *job, const struct leaf_form *form,
                  struct error *error) WARN_UNUSED;

/* Collective over world. The parameters and the gradients of each node, in shared memory, or through messages if there
 * is no room for that. two_sets: updates can go into arrays of their own. ranks_per_node: see node_open. */
bool learner_connect(struct learner *learner, const struct world *world, const struct job *job, bool two_sets,
                     int ranks_per_node, struct error *error) WARN_UNUSED;

/* Local, a pure function. At every so many-th update a block is proven, so that it costs one hundredth of a step: from
 * what a step of `ranks` ranks takes on the machines that are known (README.md). arrays: that an update moves. >= 1. */
size_t learner_proof_period(const struct model *model, const struct job *job, size_t arrays, int ranks);

/* Local. Everything else. */
bool learner_allocate(struct learner *learner, const struct world *world, const struct job *job, bool two_sets,
                      struct error *error) WARN_UNUSED;

/* Collective over world, once learner_connect has begun. Accepts one that is all zero, or closed. */
void learner_close(struct learner *learner);

/* Local; on every rank at the same place between exchange_reduce and exchange_distribute. The used and the other arrays
 * change roles, those of the exchange included. */
void learner_turn(struct learner *learner);

/* Collective over the node: waits until they are all here. The parameters of the node, [P]. */
static inline float *learner_params(const struct learner *learner)
{
    return exchange_settle(learner->exchange);
}

/* Local. This rank's part of them, [shard.count]. */
static inline float *learner_own_params(const struct learner *learner)
{
    return exchange_params(learner->exchange) + learner->shard.first;
}

#endif
