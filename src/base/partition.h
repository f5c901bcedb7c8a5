/* The one rule by which `total` things are dealt to `parts` owners: owner i has [i*total/parts, (i+1)*total/parts).
 * Contiguous, in order, sizes differ by at most one. Used for leaves, shards and validation chunks. */
#ifndef BASE_PARTITION_H
#define BASE_PARTITION_H

#include <stddef.h>

/* Local. First thing of owner `index`; index == parts gives total. Exact for all sizes below 2^64. */
static inline size_t partition_first(size_t total, size_t parts, size_t index)
{
    return (size_t)((unsigned __int128)total * index / parts);
}

/* Local. How many things owner `index` has; 0 is possible when total < parts. */
static inline size_t partition_count(size_t total, size_t parts, size_t index)
{
    return partition_first(total, parts, index + 1) - partition_first(total, parts, index);
}

#endif
