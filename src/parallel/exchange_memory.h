/* What the ranks of a node share for an exchange: the node's parameters, the gradients of each rank's leaves, and marks
 * by which the ranks tell each other what is there. Private to the exchange. */
#ifndef PARALLEL_EXCHANGE_MEMORY_H
#define PARALLEL_EXCHANGE_MEMORY_H

#include "parallel/node.h"

#include <stdatomic.h>
#include <stdint.h>

/* The piece of a node's rank: marks; of its rank 0 copies of the parameters [copies, P]; slots [slots, P]. */
struct exchange_memory {
    struct window window;
    const struct node *node;
    size_t count;  /* P */
    size_t copies; /* of the parameters */
    size_t marks;  /* of a rank */
};

/* Collective over world; what is said of exchange_open. `slots`: of this rank. The node is borrowed. */
bool exchange_memory_open(struct exchange_memory *memory, const struct world *world, const struct node *node,
                          size_t count, size_t copies, size_t slots, size_t marks, struct error *error) WARN_UNUSED;

/* Collective over node. Accepts one that is closed, or all zero (on all ranks). */
void exchange_memory_close(struct exchange_memory *memory);

/* Local. The marks of a rank of the node, zero at first. */
_Atomic uint32_t *exchange_memory_marks(const struct exchange_memory *memory, int node_rank);

/* Local. A copy of the node's parameters [P]. */
float *exchange_memory_params(const struct exchange_memory *memory, size_t copy);

/* Local. The slots of a rank of the node. */
float *exchange_memory_slots(const struct exchange_memory *memory, int node_rank);

#endif
