/* Byte pair encoding (R. Sennrich, B. Haddow, A. Birch: Neural Machine Translation of Rare Words with Subword Units,
 * 2016, section 3.2): of all neighbours that have a merge, those whose merge is the first in the list become one token,
 * the leftmost pair first, until none has one. */
#ifndef DATA_TOKENIZER_MERGES_H
#define DATA_TOKENIZER_MERGES_H

#include <stddef.h>
#include <stdint.h>

struct merge {
    uint32_t left, right; /* tokens */
    uint32_t result;
    uint32_t order; /* its place in the list, from 1 on; 0: this is none */
};

struct merges {
    struct merge *slots; /* [slot_count], a power of two, by the digest of (left, right); private */
    size_t slot_count;
};

/* What merging needs beside the tokens; all 0 to begin with. One for each thread that merges. */
struct merging {
    struct merging_symbol *symbols;
    struct merging_chance *chances; /* [count], a heap: the best one first */
    size_t count, symbols_capacity, chances_capacity;
};

/* Local. Room for so many merges. Release accepts a released one. */
void merges_init(struct merges *merges, size_t count);
void merges_release(struct merges *merges);
void merging_release(struct merging *merging);

/* Local. `order` >= 1; of the same pair the last one counts. At most as many as there is room for. */
void merges_add(struct merges *merges, struct merge merge);

/* Local. Merges the tokens of one word in place, in O(count log count). Returns how many are left. */
size_t merges_apply(const struct merges *merges, struct merging *merging, uint32_t *tokens, size_t count);

#endif
