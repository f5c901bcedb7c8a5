#include "parallel/exchange_memory.h"

#include "base/memory.h"

#include <string.h>

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(float), "marks lie in front of floats");

/* Floats in front of what else a piece has, so that it is aligned. */
static size_t front(const struct exchange_memory *memory)
{
    size_t line = MEMORY_ALIGNMENT / sizeof(float);
    return (memory->marks + line - 1) / line * line;
}

bool exchange_memory_open(struct exchange_memory *memory, const struct world *world, const struct node *node,
                          size_t count, size_t copies, size_t slots, size_t marks, struct error *error)
{
    *memory = (struct exchange_memory){.node = node, .count = count, .copies = copies, .marks = marks};
    size_t bytes = (front(memory) + (slots + (node->rank == 0 ? copies : 0)) * count) * sizeof(float);
    /* Other nodes may have more ranks, and need longer. */
    size_t most = bytes + (1 + copies) * count * sizeof(float);
    bool ok = window_open(&memory->window, node, bytes, "the buffers of the exchange", error);
    if (world_agree_memory(world, ok, most, error))
        return true;
    exchange_memory_close(memory);
    return false;
}

void exchange_memory_close(struct exchange_memory *memory)
{
    if (memory->window.memory)
        window_close(&memory->window);
    memset(memory, 0, sizeof *memory);
}

_Atomic uint32_t *exchange_memory_marks(const struct exchange_memory *memory, int node_rank)
{
    return window_piece(&memory->window, node_rank);
}

float *exchange_memory_params(const struct exchange_memory *memory, size_t copy)
{
    return (float *)window_piece(&memory->window, 0) + front(memory) + copy * memory->count;
}

float *exchange_memory_slots(const struct exchange_memory *memory, int node_rank)
{
    float *piece = (float *)window_piece(&memory->window, node_rank) + front(memory);
    return piece + (node_rank == 0 ? memory->copies * memory->count : 0);
}
