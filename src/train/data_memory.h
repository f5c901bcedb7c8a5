/* What the ranks of a node have unpacked of the training data, they keep in memory that they share: a chunk is inflated
 * once a node. */
#ifndef TRAIN_DATA_MEMORY_H
#define TRAIN_DATA_MEMORY_H

#include "job/job.h"
#include "parallel/node.h"

struct data_memory {
    /* private */
    struct window window;
    bool is_window; /* the memory is the window's; else `own` */
    void *own;
};

/* Collective over world; world, node and job must be equal on every rank. Once the node and the data are open, and all
 * else that a start allocates, and before the data are closed: `train` reads through it.
 *
 * Every rank has a dataset of the same content, which ranks_compare_data has seen, but its files may lie in another
 * layout than those of others: in other chunks, or in none. Ranks of a node share only where all of it have one layout
 * (dataset_shared_layout); each node may have its own.
 *
 * Where ranks of a node cannot share (their layouts differ, limits of memory or /dev/shm have no room for it), all
 * ranks are warned, once, and those keep what they unpack for themselves: as much as a node of one would, or, where
 * memory is short, the little that a dataset always has. Nothing is done where no rank has to unpack anything. Close
 * accepts what is all 0. */
void data_memory_open(struct data_memory *memory, const struct world *world, const struct node *node,
                      const struct job *job, struct dataset *train);

/* Collective over node. Nobody reads the data any more. */
void data_memory_close(struct data_memory *memory);

#endif
