#include "parallel/shard.h"

#include "base/partition.h"

size_t exchange_blocks(size_t count)
{
    return (count + EXCHANGE_BLOCK - 1) / EXCHANGE_BLOCK;
}

struct shard exchange_shard(size_t count, int size, int rank)
{
    size_t blocks = exchange_blocks(count);
    size_t first = partition_first(blocks, (size_t)size, (size_t)rank) * EXCHANGE_BLOCK;
    size_t end = partition_first(blocks, (size_t)size, (size_t)rank + 1) * EXCHANGE_BLOCK;
    return (struct shard){.first = first < count ? first : count,
                          .count = (end < count ? end : count) - (first < count ? first : count)};
}
