#include "checkpoint/proof.h"

#include "base/checksum.h"
#include "base/text.h"

#include <inttypes.h>
#include <unistd.h>

#define HOST_BYTES 256

bool proof_holds(const struct state *state, size_t array, size_t block)
{
    const struct state_array *proven = &state->arrays[array];
    size_t first = block * EXCHANGE_BLOCK, left = state->shard.count - first;
    return !proven->sums || proven->sums[block] == 0 ||
           checksum_floats(proven->values + first, left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK) ==
               proven->sums[block];
}

/* Tensors of elements [first, end) of an arena: "'0.dense.weight'", or the first "to" the last. */
static void tell_tensors(const struct state *state, size_t first, size_t end, struct text *words)
{
    const struct state_tensor *begins = NULL, *ends = NULL;
    for (size_t t = 0; t < state->tensor_count; t++) {
        const struct state_tensor *tensor = &state->tensors[t];
        size_t count = 1;
        for (size_t d = 0; d < tensor->dims; d++)
            count *= tensor->shape[d];
        if (tensor->offset >= end || tensor->offset + count <= first)
            continue;
        if (!begins || tensor->offset < begins->offset)
            begins = tensor;
        if (!ends || tensor->offset > ends->offset)
            ends = tensor;
    }
    if (begins)
        text_append(words, "'%s'", begins->name);
    if (ends && ends != begins)
        text_append(words, " to '%s'", ends->name);
}

/* block: of the whole arena. */
static bool refuse(const struct state *state, const char *array, size_t block, const char *what, uint64_t step,
                   struct error *error)
{
    size_t first = block * EXCHANGE_BLOCK, left = state->count - first;
    size_t end = first + (left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK);
    char host[HOST_BYTES] = "";
    struct text tensors;
    gethostname(host, sizeof host - 1);
    text_init(&tensors);
    tell_tensors(state, first, end, &tensors);
    error_set(error, ERROR_MEMORY, "memory of %s: %s of %s (elements %zu to %zu of all) %s step %" PRIu64, host, array,
              text_bytes(&tensors), first, end - 1, what, step);
    text_release(&tensors);
    return false;
}

bool proof_refuse(const struct state *state, size_t array, size_t block, uint64_t step, struct error *error)
{
    return refuse(state, state->arrays[array].name, state->shard.first / EXCHANGE_BLOCK + block,
                  "is not what was written there in", step, error);
}

bool proof_refuse_copy(const struct state *state, size_t block, uint64_t step, struct error *error)
{
    return refuse(state, "this node's copy of the params", block, "is not what its owner has in", step, error);
}
