/* What memory a job will need: what is known before any of it is allocated. A lower bound: data, libraries and small
 * things are not in it. */
#ifndef TRAIN_MEMORY_PLAN_H
#define TRAIN_MEMORY_PLAN_H

#include "job/job.h"
#include "nn/model.h"

#include <stdbool.h>
#include <stddef.h>

/* Of one rank, in bytes. */
struct memory_plan {
    double params;     /* one copy, which the ranks of a node share */
    size_t copies;     /* of the parameters and moments: 2 to train on while a checkpoint is written, else 1 */
    double slots;      /* gradients of leaves that wait for their buddies, */
    size_t slot_count; /* and how many these are at most */
    double gradient;   /* of its shard */
    double moments;    /* of its shard, with the average: one copy */
    double pass;       /* forward and backward of a leaf; its samples, and those of the next */
};

/* Local. Of rank `rank` of `ranks`; of the model a description is enough. ranks <= leaves of a step. */
struct memory_plan memory_plan_make(const struct job *job, const struct model *model, bool two_sets, size_t ranks,
                                    size_t rank);

/* Local. What of it is private, and what the ranks of the node share; the first rank of a node has the parameters. */
double memory_plan_private(const struct memory_plan *plan);
double memory_plan_shared(const struct memory_plan *plan, bool is_first);

#endif
