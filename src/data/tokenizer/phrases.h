/* Phrases that are tokens as they stand, wherever a text has them: the added tokens of a tokenizer.json. */
#ifndef DATA_TOKENIZER_PHRASES_H
#define DATA_TOKENIZER_PHRASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct phrase {
    const char *bytes; /* [count], borrowed; count > 0 */
    size_t count;
    uint32_t token;
    bool alone;                   /* it counts only where no character of a word is its neighbour ("single_word") */
    bool takes_left, takes_right; /* white space before it, or behind it, belongs to it ("lstrip", "rstrip") */
};

struct phrases {
    struct phrase *items; /* [count]; sorted once phrases_sort was called */
    size_t count, capacity;
    bool begins[256]; /* whether one begins with this byte */
};

/* Local. One that is all 0 has none. All are added, no two of them alike, then they are sorted; release accepts a
 * released one. */
void phrases_add(struct phrases *phrases, struct phrase phrase);
void phrases_sort(struct phrases *phrases);
void phrases_release(struct phrases *phrases);

/* Local. The first place of the text[count] where one stands, and the longest that stands there; NULL: none does. */
const struct phrase *phrases_find(const struct phrases *phrases, const char *text, size_t count, size_t *place);

#endif
