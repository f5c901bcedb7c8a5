/* How an arena is dealt to the ranks: it is cut into blocks of EXCHANGE_BLOCK floats, and these are dealt in order
 * (partition_first). A rank's part is its shard: what it reduces, updates and writes. */
#ifndef PARALLEL_SHARD_H
#define PARALLEL_SHARD_H

#include <stddef.h>

#define EXCHANGE_BLOCK 4096 /* floats: fixed for all world sizes; digests and norms are taken by block */

struct shard {
    size_t first; /* element of the arena, a multiple of EXCHANGE_BLOCK */
    size_t count; /* elements; 0 if there are more ranks than blocks */
};

/* Local. The shard of a rank, a pure function of (count, size). */
struct shard exchange_shard(size_t count, int size, int rank);

/* Local. Blocks of an arena of `count` floats. */
size_t exchange_blocks(size_t count);

#endif
