/* The blocks of a shard, as an update walks over them: the tensors in them, and the sums by which they are proven. */
#ifndef TRAIN_UPDATE_BLOCKS_H
#define TRAIN_UPDATE_BLOCKS_H

#include "nn/tensor.h"
#include "optim/optimizer.h"
#include "parallel/exchange.h"

#define UPDATE_ARRAYS (2 + OPTIMIZER_MOMENTS) /* at most */

/* A block that is not what was written there. */
struct update_fault {
    bool is_found;
    size_t array; /* 0: parameters; then the moments; then the average */
    size_t block; /* of the shard */
};

/* What moves; each [shard.count]. */
struct update_arrays {
    float *params;
    float *moments[OPTIMIZER_MOMENTS]; /* NULL behind the last */
    float *average;                    /* EMA of the parameters; NULL: there is none */
    uint64_t *sums; /* [arrays, blocks of the shard] of what was written there; 0: was not summed. NULL: never is */
};

struct update_blocks {
    const struct tensor_table *table; /* borrowed */
    struct shard shard;
    size_t *order;             /* [tensors] as they lie in an arena */
    struct update_fault fault; /* the first that was found */
};

/* Local. The table is borrowed. Release accepts released ones. */
void update_blocks_init(struct update_blocks *blocks, const struct tensor_table *table, struct shard shard);
void update_blocks_release(struct update_blocks *blocks);

/* Elements [first, first + count) of the shard: a block, or a piece of it. */
struct update_block {
    size_t index, first, count;
};

/* Local. The index-th of the shard. */
struct update_block update_block_of(const struct update_blocks *blocks, size_t index);

/* The part of tensor t in a piece, as elements of the shard. */
struct update_part {
    size_t t, first, count;
};

/* How far a walk through the tensors has come; all zero: nowhere. */
struct update_walk {
    size_t place; /* in the order of the arena: the first tensor that is not done */
    size_t done;  /* elements of the shard */
};

/* Local. The next part in this piece, as long as there is one. Pieces come in their order. */
bool update_next_part(const struct update_blocks *blocks, const struct update_block *piece, struct update_walk *walk,
                      struct update_part *part);

/* Local. What there is of the arrays, in the order of the sums: parameters, moments, average. Returns how many. */
size_t update_list(const struct update_arrays *arrays, float *list[UPDATE_ARRAYS]);

/* Local. The place of a block's sum; NULL: it never has one. */
uint64_t *update_sum_of(const struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                        const struct update_block *block);

/* Local. Whether it has one now. */
bool update_has_sum(const struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                    const struct update_block *block);

/* Local. `found` is the sum of a block that has one: if it is another, that is a fault. */
void update_judge(struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                  const struct update_block *block, uint64_t found);

/* Local. The same of the array's block at `values`, if it has a sum. */
void update_prove_block(struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                        const struct update_block *block, const float *values);

/* Local. Sums all blocks. */
void update_blocks_sum(const struct update_blocks *blocks, const struct update_arrays *arrays);

/* Local. Whether all blocks that have a sum still have it. The first that has not becomes the fault, unless there is
 * one. */
bool update_blocks_prove(struct update_blocks *blocks, const struct update_arrays *arrays);

#endif
