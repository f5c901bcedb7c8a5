/* The ranks that share memory, and a piece of memory that they share (an MPI-3 shared window). */
#ifndef PARALLEL_NODE_H
#define PARALLEL_NODE_H

#include "base/error.h"
#include "parallel/world.h"

struct node {
    MPI_Comm comm;  /* the ranks of this node, in world order */
    int rank, size; /* in comm */
    int index;      /* of this node, 0 <= index < count, in the order of their lowest world ranks */
    int count;      /* nodes of the world */
    int *node_of;   /* [world size] index of the node of each rank */
    int *rank_of;   /* [world size] rank within its node of each rank */
    int *sizes;     /* [count] ranks of each node */
};

/* Collective over world; ranks_per_node must be equal on every rank. 0: the ranks that really share memory. n > 0:
 * pretend that n consecutive ranks are a node (of those that really share memory), for tests and for measuring; n = 1
 * uses messages only. */
void node_open(struct node *node, const struct world *world, int ranks_per_node);

/* Collective over world. */
void node_close(struct node *node);

/* Collective over node. The bytes of its rank 0 to all of it: that gives *bytes and *count, the others get a copy that
 * they own (memory_free), with a NUL behind it. */
void node_share_bytes(const struct node *node, char **bytes, size_t *count);

/* Collective over node. Whether every rank of it gives this number; the same on all of them. */
bool node_is_equal(const struct node *node, uint64_t number) WARN_UNUSED;

/* Memory of which every rank of the node has a piece, and can read and write all pieces. */
struct window {
    MPI_Win win; /* MPI_WIN_NULL if the node has one rank: then it is plain memory */
    MPI_Comm comm;
    void *memory; /* the own piece, zeroed and 64-byte aligned */
};

/* Collective over node. This rank contributes `bytes` (may differ; may be 0). The memory is really there after
 * success: it has been touched, so that a /dev/shm that is too small is an error here and not a SIGBUS later.
 * what: it is for, for messages. The same verdict on every rank of the node; nothing stays allocated after failure. */
bool window_open(struct window *window, const struct node *node, size_t bytes, const char *what,
                 struct error *error) WARN_UNUSED;

/* Collective over node. Accepts a closed window (on all ranks). */
void window_close(struct window *window);

/* Local. The piece of another rank of the node. */
void *window_piece(const struct window *window, int node_rank);

/* Collective over node. What any rank of the node wrote before is seen by all of them after. */
void window_fence(const struct window *window);

#endif
