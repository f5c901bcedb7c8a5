#include "nn/tensor.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/rng.h"

#include <string.h>

void tensor_table_init(struct tensor_table *table)
{
    memset(table, 0, sizeof *table);
}

void tensor_table_release(struct tensor_table *table)
{
    memory_free(table->tensors);
    tensor_table_init(table);
}

size_t tensor_table_add(struct tensor_table *table, const struct tensor *tensor)
{
    table->tensors = memory_grow(table->tensors, table->length, &table->capacity, sizeof *table->tensors);
    CHECK(tensor->dims <= TENSOR_DIMS, "a tensor has at most TENSOR_DIMS dimensions");
    struct tensor *added = &table->tensors[table->length];
    *added = *tensor;
    added->count = 1;
    for (size_t d = 0; d < added->dims; d++)
        added->count *= added->shape[d];
    return table->length++;
}

static size_t round_up(size_t count, size_t multiple)
{
    return (count + multiple - 1) / multiple * multiple;
}

/* The learned ones, or the statistics, behind what there is. */
static void place(struct tensor_table *table, bool statistics)
{
    for (size_t t = 0; t < table->length; t++) {
        struct tensor *tensor = &table->tensors[t];
        if ((tensor->role == TENSOR_STATISTIC) != statistics)
            continue;
        tensor->offset = table->count;
        tensor->room = round_up(tensor->count, TENSOR_ALIGN);
        table->count += tensor->room;
    }
}

/* The gap in front of the statistics is behind the tensor that ends there. */
static void widen_last(struct tensor_table *table, size_t end, size_t gap)
{
    for (size_t t = 0; t < table->length; t++)
        if (table->tensors[t].offset + table->tensors[t].room == end)
            table->tensors[t].room += gap;
}

void tensor_table_place(struct tensor_table *table)
{
    table->count = 0;
    place(table, false);
    size_t learned = table->count;
    table->count = round_up(learned, TENSOR_STATISTICS_ALIGN);
    table->learned = table->count;
    place(table, true);
    if (table->count == table->learned) /* no statistics: no gap for them either */
        table->count = table->learned = learned;
    else
        widen_last(table, learned, table->learned - learned);
}

static float initial_value(const struct tensor *tensor, uint64_t key, size_t element)
{
    if (tensor->init == TENSOR_UNIFORM)
        return (2 * rng_uniform(key, element) - 1) * tensor->scale;
    if (tensor->init == TENSOR_NORMAL)
        return (float)((double)tensor->scale * rng_normal(key, element));
    return tensor->scale;
}

void tensor_table_fill(const struct tensor_table *table, uint64_t seed, size_t first, size_t count, float *values)
{
    memset(values, 0, count * sizeof *values);
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *tensor = &table->tensors[t];
        size_t begin = tensor->offset > first ? tensor->offset : first;
        size_t end = tensor->offset + tensor->count < first + count ? tensor->offset + tensor->count : first + count;
        uint64_t key = rng_key(seed, tensor->name);
        for (size_t e = begin; e < end; e++)
            values[e - first] = initial_value(tensor, key, e - tensor->offset);
    }
}

size_t tensor_table_elements(const struct tensor_table *table, bool statistics)
{
    size_t elements = 0;
    for (size_t t = 0; t < table->length; t++)
        if (statistics || table->tensors[t].role != TENSOR_STATISTIC)
            elements += table->tensors[t].count;
    return elements;
}
