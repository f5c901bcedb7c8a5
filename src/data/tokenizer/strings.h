/* Numbered strings of bytes: the string of a number, and the number of a string. */
#ifndef DATA_TOKENIZER_STRINGS_H
#define DATA_TOKENIZER_STRINGS_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strings {
    size_t count; /* numbers are 0 ... count - 1 */
    /* private */
    struct text bytes; /* of all, one behind the other */
    size_t *ends;      /* [count] */
    size_t capacity;   /* of ends */
    size_t findable;   /* strings that have a slot */
    uint32_t *slots;   /* [slot_count], a power of two: 1 + a number, by the digest of its string; 0: none */
    size_t slot_count;
};

/* Local. One that is all 0 is empty; release accepts a released one. Clear keeps the memory. */
void strings_release(struct strings *strings);
void strings_clear(struct strings *strings);

/* Local. Gives the string the next number, which must be below UINT32_MAX. findable: strings_find is to find it, and no
 * other one that it finds is alike. */
void strings_add(struct strings *strings, const char *bytes, size_t count, bool findable);

/* Local. The number of a string; false: there is none. */
bool strings_find(const struct strings *strings, const char *bytes, size_t count, uint32_t *number);

/* Local. The string of a number; borrowed until the next one is added. No NUL stands behind it. */
const char *strings_at(const struct strings *strings, size_t number, size_t *count);

#endif
