/* Buckets: what is sent between nodes in one message. A shard is cut into pieces of BUCKET_FLOATS (the last may be
 * smaller): 48 KB, which Open MPI's TCP still sends eagerly. A larger message would be announced first, and wait for an
 * answer and for a call of the sender after that; both sides are busy with a layer meanwhile. All shards' buckets are
 * counted in the order of the arena. */
#ifndef PARALLEL_BUCKET_H
#define PARALLEL_BUCKET_H

#include "parallel/shard.h"

#include <stddef.h>

#define BUCKET_FLOATS ((size_t)3 * EXCHANGE_BLOCK)

struct buckets {
    size_t count;  /* of all shards */
    size_t *first; /* [world size + 1] the first one of each rank's shard */
    size_t *start; /* [count + 1] elements of the arena: bucket b has [start[b], start[b + 1]) */
};

/* Local. A pure function of the floats P of an arena and the ranks of the world. */
void buckets_init(struct buckets *buckets, size_t floats, int size);

/* Local. Accepts released ones. */
void buckets_release(struct buckets *buckets);

/* Local. The bucket of an element of the arena. */
size_t buckets_find(const struct buckets *buckets, size_t element);

static inline size_t bucket_floats(const struct buckets *buckets, size_t bucket)
{
    return buckets->start[bucket + 1] - buckets->start[bucket];
}

#endif
