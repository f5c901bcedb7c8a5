#include "train/update_blocks.h"

#include "base/checksum.h"
#include "base/memory.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The statistics lie behind all others; else tensors lie as they are listed. */
static void find_order(const struct tensor_table *table, size_t *order)
{
    size_t found = 0;
    for (size_t t = 0; t < table->length; t++)
        if (table->tensors[t].role != TENSOR_STATISTIC)
            order[found++] = t;
    for (size_t t = 0; t < table->length; t++)
        if (table->tensors[t].role == TENSOR_STATISTIC)
            order[found++] = t;
}

void update_blocks_init(struct update_blocks *blocks, const struct tensor_table *table, struct shard shard)
{
    *blocks = (struct update_blocks){.table = table, .shard = shard};
    blocks->order = memory_need(table->length, sizeof *blocks->order);
    find_order(table, blocks->order);
}

void update_blocks_release(struct update_blocks *blocks)
{
    memory_free(blocks->order);
    memset(blocks, 0, sizeof *blocks);
}

struct update_block update_block_of(const struct update_blocks *blocks, size_t index)
{
    size_t first = index * EXCHANGE_BLOCK;
    return (struct update_block){index, first, least(blocks->shard.count - first, EXCHANGE_BLOCK)};
}

bool update_next_part(const struct update_blocks *blocks, const struct update_block *piece, struct update_walk *walk,
                      struct update_part *part)
{
    size_t shard = blocks->shard.first, piece_end = shard + piece->first + piece->count;
    for (; walk->place < blocks->table->length; walk->place++) {
        size_t t = blocks->order[walk->place];
        const struct tensor *tensor = &blocks->table->tensors[t];
        size_t first = most(tensor->offset, shard + walk->done);
        size_t end = least(tensor->offset + tensor->count, piece_end);
        if (first >= piece_end)
            return false;
        if (first >= end)
            continue;
        *part = (struct update_part){t, first - shard, end - first};
        walk->done = end - shard;
        return true;
    }
    return false;
}

size_t update_list(const struct update_arrays *arrays, float *list[UPDATE_ARRAYS])
{
    size_t count = 0;
    list[count++] = arrays->params;
    for (size_t k = 0; k < OPTIMIZER_MOMENTS && arrays->moments[k]; k++)
        list[count++] = arrays->moments[k];
    if (arrays->average)
        list[count++] = arrays->average;
    return count;
}

uint64_t *update_sum_of(const struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                        const struct update_block *block)
{
    return arrays->sums ? &arrays->sums[array * exchange_blocks(blocks->shard.count) + block->index] : NULL;
}

bool update_has_sum(const struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                    const struct update_block *block)
{
    const uint64_t *sum = update_sum_of(blocks, arrays, array, block);
    return sum && *sum != 0;
}

void update_judge(struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                  const struct update_block *block, uint64_t found)
{
    if (found != *update_sum_of(blocks, arrays, array, block) && !blocks->fault.is_found)
        blocks->fault = (struct update_fault){.is_found = true, .array = array, .block = block->index};
}

void update_prove_block(struct update_blocks *blocks, const struct update_arrays *arrays, size_t array,
                        const struct update_block *block, const float *values)
{
    if (update_has_sum(blocks, arrays, array, block))
        update_judge(blocks, arrays, array, block, checksum_floats(values, block->count));
}

void update_blocks_sum(const struct update_blocks *blocks, const struct update_arrays *arrays)
{
    float *list[UPDATE_ARRAYS];
    size_t count = update_list(arrays, list);
    for (size_t b = 0; b < exchange_blocks(blocks->shard.count); b++) {
        struct update_block block = update_block_of(blocks, b);
        for (size_t a = 0; a < count; a++)
            *update_sum_of(blocks, arrays, a, &block) = checksum_floats(list[a] + block.first, block.count);
    }
}

bool update_blocks_prove(struct update_blocks *blocks, const struct update_arrays *arrays)
{
    float *list[UPDATE_ARRAYS];
    size_t count = update_list(arrays, list);
    for (size_t b = 0; b < exchange_blocks(blocks->shard.count); b++) {
        struct update_block block = update_block_of(blocks, b);
        for (size_t a = 0; a < count; a++)
            update_prove_block(blocks, arrays, a, &block, list[a] + block.first);
    }
    return !blocks->fault.is_found;
}
