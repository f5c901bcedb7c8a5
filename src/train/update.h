/* The owner's update: how the parameters, statistics, moments and averages of this rank's shard move in a step. It
 * walks over the shard once, block by block, and proves memory on the way: what a block holds is summed
 * (base/checksum.h) when it is written, and once more, before anything is made of it, by the next update. */
#ifndef TRAIN_UPDATE_H
#define TRAIN_UPDATE_H

#include "optim/optimizer.h"
#include "parallel/world.h"
#include "train/update_blocks.h"

struct update {
    const struct world *world; /* borrowed, as the others */
    const struct optimizer_spec *spec;
    struct update_blocks blocks;
    const struct optimizer_group **groups; /* [tensors] what the job says about each; NULL: nothing */
    size_t period;                         /* update n sums every period-th block, from n modulo period on */
    /* For norms of whole tensors: a piece is the part of a tensor in one block. */
    size_t *first_piece; /* [tensors + 1] */
    double *squares;     /* [2, pieces] of parameters, of directions */
};

/* Local. Whether each of the optimizer's groups is the first that fits some tensor: one that is not is a slip of the
 * pen. ERROR_USAGE names its pattern. */
bool update_check_groups(const struct optimizer_spec *spec, const struct tensor_table *table,
                         struct error *error) WARN_UNUSED;

/* Local. The spec, the table and the world are borrowed. period >= 1. Release accepts a released one. */
void update_init(struct update *update, const struct world *world, const struct optimizer_spec *spec,
                 const struct tensor_table *table, struct shard shard, size_t period);
void update_release(struct update *update);

/* The numbers of an update. */
struct update_numbers {
    uint64_t number;      /* of this update, from 1 */
    double learning_rate; /* after the schedule */
    float gradient_scale; /* clipping */
    double average_decay; /* of the EMA */
    bool sums_all;        /* not only the blocks whose turn it is */
};

/* Collective over world; the numbers must be equal on every rank. What `from` holds moves to what `to` holds: the same
 * arrays, or others of the same kind, and then all of `from` stays as it is. The bits are the same in both ways; gaps
 * between tensors stay zero. gradient: of the global batch, already divided; spoilt. If a block of `from` has another
 * sum than it should, it is moved all the same, and update->blocks.fault says so (on this rank alone). */
void update_run(struct update *update, const struct update_arrays *from, const struct update_arrays *to,
                float *gradient, const struct update_numbers *numbers);

#endif
