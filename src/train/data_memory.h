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

/* Collective over world, once the node and the data are open, and before the data are closed: `train` reads through it.
 * Where the nodes' memory cannot be had, a warning, and each rank keeps what it unpacks for itself. Nothing is done
 * where nothing has to be unpacked. Close accepts what is all 0. */
bool data_memory_open(struct data_memory *memory, const struct world *world, const struct node *node,
                      const struct job *job, struct dataset *train, struct error *error) WARN_UNUSED;

/* Collective over node. Nobody reads the data any more. */
void data_memory_close(struct data_memory *memory);

#endif
