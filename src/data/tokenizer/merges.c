#include "data/tokenizer/merges.h"

#include "base/digest.h"
#include "base/memory.h"

#include <stdbool.h>

/* Tokens on the way: a list in both directions, in which a merge leaves its result in the place of the left one. */
struct merging_symbol {
    uint32_t token;
    size_t before, behind; /* places; NOWHERE: there is none */
    bool is_gone;          /* it went into the one before it */
};

/* A pair that had a merge when this was written down. */
struct merging_chance {
    struct merge merge;
    size_t place; /* of the left one */
};

#define NOWHERE SIZE_MAX

void merges_init(struct merges *merges, size_t count)
{
    merges->slot_count = 2;
    while (merges->slot_count < 2 * count)
        merges->slot_count *= 2;
    merges->slots = memory_need(merges->slot_count, sizeof *merges->slots);
}

void merges_release(struct merges *merges)
{
    memory_free(merges->slots);
    *merges = (struct merges){0};
}

void merging_release(struct merging *merging)
{
    memory_free(merging->symbols);
    memory_free(merging->chances);
    *merging = (struct merging){0};
}

/* The slot of a pair, or the free one where it would be. At least half of them are free. */
static struct merge *slot_of(const struct merges *merges, uint32_t left, uint32_t right)
{
    size_t slot = digest_bytes(&(uint32_t[]){left, right}, 2 * sizeof left);
    for (;; slot++) {
        struct merge *here = &merges->slots[slot & (merges->slot_count - 1)];
        if (here->order == 0 || (here->left == left && here->right == right))
            return here;
    }
}

void merges_add(struct merges *merges, struct merge merge)
{
    *slot_of(merges, merge.left, merge.right) = merge;
}

static bool is_better(const struct merging_chance *a, const struct merging_chance *b)
{
    return a->merge.order != b->merge.order ? a->merge.order < b->merge.order : a->place < b->place;
}

static void push(struct merging *merging, struct merging_chance chance)
{
    merging->chances = memory_grow(merging->chances, merging->count, &merging->chances_capacity,
                                   sizeof *merging->chances);
    struct merging_chance *heap = merging->chances;
    size_t at = merging->count++;
    for (size_t above; at > 0 && is_better(&chance, &heap[above = (at - 1) / 2]); at = above)
        heap[at] = heap[above];
    heap[at] = chance;
}

static struct merging_chance pop(struct merging *merging)
{
    struct merging_chance *heap = merging->chances, best = heap[0], last = heap[--merging->count];
    size_t at = 0, count = merging->count;
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && is_better(&heap[below + 1], &heap[below]))
            below++;
        if (!is_better(&heap[below], &last))
            break;
        heap[at] = heap[below];
    }
    heap[at] = last;
    return best;
}

/* Writes down that the symbol here and the one behind it have a merge, if they have. */
static void look(const struct merges *merges, struct merging *merging, size_t place)
{
    const struct merging_symbol *left = &merging->symbols[place];
    if (left->behind == NOWHERE)
        return;
    const struct merge *merge = slot_of(merges, left->token, merging->symbols[left->behind].token);
    if (merge->order)
        push(merging, (struct merging_chance){*merge, place});
}

/* Whether the pair is still there: one of the two may have been merged with another since. */
static bool is_valid(const struct merging *merging, const struct merging_chance *chance)
{
    const struct merging_symbol *left = &merging->symbols[chance->place];
    return !left->is_gone && left->token == chance->merge.left && left->behind != NOWHERE &&
           merging->symbols[left->behind].token == chance->merge.right;
}

static void join(const struct merges *merges, struct merging *merging, const struct merging_chance *chance)
{
    struct merging_symbol *symbols = merging->symbols, *left = &symbols[chance->place], *right = &symbols[left->behind];
    right->is_gone = true;
    left->token = chance->merge.result;
    left->behind = right->behind;
    if (left->behind != NOWHERE)
        symbols[left->behind].before = chance->place;
    look(merges, merging, chance->place);
    if (left->before != NOWHERE)
        look(merges, merging, left->before);
}

static void spread(struct merging *merging, const uint32_t *tokens, size_t count)
{
    if (merging->symbols_capacity < count) {
        memory_free(merging->symbols);
        merging->symbols_capacity = 2 * count;
        merging->symbols = memory_need(merging->symbols_capacity, sizeof *merging->symbols);
    }
    for (size_t i = 0; i < count; i++)
        merging->symbols[i] = (struct merging_symbol){
            .token = tokens[i], .before = i ? i - 1 : NOWHERE, .behind = i + 1 < count ? i + 1 : NOWHERE};
}

size_t merges_apply(const struct merges *merges, struct merging *merging, uint32_t *tokens, size_t count)
{
    size_t left = 0;
    if (count < 2)
        return count;
    spread(merging, tokens, count);
    merging->count = 0;
    for (size_t i = 0; i + 1 < count; i++)
        look(merges, merging, i);
    while (merging->count > 0) {
        struct merging_chance chance = pop(merging);
        if (is_valid(merging, &chance))
            join(merges, merging, &chance);
    }
    for (size_t i = 0; i != NOWHERE; i = merging->symbols[i].behind)
        tokens[left++] = merging->symbols[i].token;
    return left;
}
