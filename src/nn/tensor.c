#include "nn/tensor.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/rng.h"

#include <stdio.h>
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
    added->offset = table->count;
    table->count += (added->count + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    table->length++;
    return added->offset;
}

void tensor_table_fill(const struct tensor_table *table, uint64_t seed, size_t first, size_t count, float *values)
{
    memset(values, 0, count * sizeof *values);
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *tensor = &table->tensors[t];
        size_t begin = tensor->offset > first ? tensor->offset : first;
        size_t end = tensor->offset + tensor->count < first + count ? tensor->offset + tensor->count : first + count;
        if (tensor->init == TENSOR_ZERO)
            continue;
        uint64_t key = rng_key(seed, tensor->name);
        for (size_t e = begin; e < end; e++)
            values[e - first] = (2 * rng_uniform(key, e - tensor->offset) - 1) * tensor->bound;
    }
}

void tensor_shape_text(size_t dims, const size_t *shape, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t d = 0; d < dims && used < bytes; d++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%zu", d ? "x" : "", shape[d]);
}
