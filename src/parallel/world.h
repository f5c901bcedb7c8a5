/* All ranks of the job, and how they agree.
 *
 * What is collective here, and the opening and closing of what has a communicator of its own (agreement.h, node.h,
 * heartbeat.h), is a meeting (base/watchdog.h): who waits in it for longer than a meeting may take says so, and the job
 * ends. So it is all for the thread that the watchdog watches, and follows only on work that takes all ranks about as
 * long, or for whose length an agreement with patience of its own has waited. In training, where that is not so, there
 * is no limit for meetings. */
#ifndef PARALLEL_WORLD_H
#define PARALLEL_WORLD_H

#include "base/error.h"

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

struct world {
    MPI_Comm comm; /* our own: no message of the application can meet ours */
    int rank;
    int size;
};

/* Collective over MPI_COMM_WORLD. MPI must be initialised. Ranks are those of MPI_COMM_WORLD, except that the ranks of
 * a node follow each other whatever the launcher's mapping was: their leaves are then neighbours in the tree, and what
 * leaves the node is one sum. Rank 0 stays rank 0. */
void world_open(struct world *world);

/* Collective over world. */
void world_close(struct world *world);

/* Collective over world. The joint verdict: true on every rank if every rank says ok. Otherwise false on every rank,
 * and *error is, on every rank, that of the lowest rank that failed; its words begin with "rank R: " unless every
 * rank failed with the same words (then it is nobody's private trouble and rank 0's words stand as they are). */
bool world_agree(const struct world *world, bool ok, struct error *error) WARN_UNUSED;

/* Local. How many seconds longer than others a meeting may take before which a rank makes so many bytes of memory real.
 */
double world_memory_s(size_t bytes);

/* Collective over world. As world_agree, after each rank has made up to `bytes` of memory real. */
bool world_agree_memory(const struct world *world, bool ok, size_t bytes, struct error *error) WARN_UNUSED;

/* Collective over world. A communicator with the same ranks, for messages of another kind. */
void world_duplicate(const struct world *world, MPI_Comm *comm);

/* Collective over world; count must be equal on every rank. Rank 0's bytes, in the place of the others'. */
void world_share(const struct world *world, void *bytes, size_t count);

/* Collective over world. Rank 0's bytes to everybody: rank 0 gives *bytes and *count, the others get a copy that they
 * own (memory_free), with a NUL behind it. */
void world_share_bytes(const struct world *world, char **bytes, size_t *count);

/* Collective over world. Rank 0's number to everybody. */
uint64_t world_share_number(const struct world *world, uint64_t number);

/* Collective over world. The union (bitwise or) of all ranks' flags. */
unsigned world_union(const struct world *world, unsigned flags);

/* Collective over world; count must be equal on every rank. values[i] is not 0 on at most one rank, and then becomes
 * that value on all: a sum that no order can round. */
void world_sum_disjoint(const struct world *world, double *values, size_t count);

/* Collective over world; count must be equal on every rank. Each value becomes the sum of all ranks'. */
void world_sum(const struct world *world, uint64_t *values, size_t count);

/* Collective over world; count must be equal on every rank. Each value becomes the largest of all ranks. */
void world_most(const struct world *world, uint64_t *values, size_t count);

/* Collective over world; count must be equal on every rank, below 2^31. The bytes of each rank, in rank order, on rank
 * 0 into all [size, count]. */
void world_gather(const struct world *world, const void *bytes, size_t count, void *all);

/* Collective over world. One text of each rank, in rank order; on every rank the same. The caller owns *texts: an
 * array of world->size texts in one allocation (memory_free). */
char **world_gather_texts(const struct world *world, const char *text) WARN_UNUSED;

#endif
