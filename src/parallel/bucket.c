#include "parallel/bucket.h"

#include "base/memory.h"

#include <string.h>

void buckets_init(struct buckets *buckets, size_t floats, int size)
{
    buckets->first = memory_need((size_t)size + 1, sizeof *buckets->first);
    for (int r = 0; r < size; r++)
        buckets->first[r + 1] = buckets->first[r] +
                                (exchange_shard(floats, size, r).count + BUCKET_FLOATS - 1) / BUCKET_FLOATS;
    buckets->count = buckets->first[size];
    buckets->start = memory_need(buckets->count + 1, sizeof *buckets->start);
    for (int r = 0; r < size; r++)
        for (size_t b = buckets->first[r]; b < buckets->first[r + 1]; b++)
            buckets->start[b] = exchange_shard(floats, size, r).first + (b - buckets->first[r]) * BUCKET_FLOATS;
    buckets->start[buckets->count] = floats;
}

void buckets_release(struct buckets *buckets)
{
    memory_free(buckets->first);
    memory_free(buckets->start);
    memset(buckets, 0, sizeof *buckets);
}

size_t buckets_find(const struct buckets *buckets, size_t element)
{
    size_t low = 0, high = buckets->count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (buckets->start[middle] <= element)
            low = middle;
        else
            high = middle;
    }
    return low;
}
