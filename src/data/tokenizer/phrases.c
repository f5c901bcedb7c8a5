#include "data/tokenizer/phrases.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void phrases_add(struct phrases *phrases, struct phrase phrase)
{
    phrases->items = memory_grow(phrases->items, phrases->count, &phrases->capacity, sizeof *phrases->items);
    phrases->items[phrases->count++] = phrase;
    phrases->begins[(uint8_t)phrase.bytes[0]] = true;
}

/* By their bytes; one that another begins with stands before it. */
static int compare(const void *x, const void *y)
{
    const struct phrase *a = x, *b = y;
    int order = memcmp(a->bytes, b->bytes, a->count < b->count ? a->count : b->count);
    return order ? order : a->count < b->count ? -1 : a->count > b->count;
}

void phrases_sort(struct phrases *phrases)
{
    if (phrases->count > 0)
        qsort(phrases->items, phrases->count, sizeof *phrases->items, compare);
}

void phrases_release(struct phrases *phrases)
{
    memory_free(phrases->items);
    *phrases = (struct phrases){0};
}

/* Of the sorted [begin, end), which are alike in the `depth` bytes before: the first one whose next byte is not below
 * `byte`. Those that have no next byte are below all. */
static size_t first_from(const struct phrases *phrases, size_t begin, size_t end, size_t depth, int byte)
{
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        const struct phrase *phrase = &phrases->items[middle];
        if (phrase->count <= depth || (uint8_t)phrase->bytes[depth] < byte)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* The longest that the text begins with. Byte for byte, those that may still stand there become fewer. */
static const struct phrase *longest_at(const struct phrases *phrases, const char *text, size_t count)
{
    const struct phrase *longest = NULL;
    size_t begin = 0, end = phrases->count;
    for (size_t depth = 0; depth < count && begin < end; depth++) {
        int byte = (uint8_t)text[depth];
        size_t last = first_from(phrases, begin, end, depth, byte + 1);
        begin = first_from(phrases, begin, last, depth, byte);
        end = last;
        if (begin < end && phrases->items[begin].count == depth + 1)
            longest = &phrases->items[begin];
    }
    return longest;
}

const struct phrase *phrases_find(const struct phrases *phrases, const char *text, size_t count, size_t *place)
{
    const struct phrase *phrase = NULL;
    for (size_t i = 0; !phrase && i < count && phrases->count > 0; i++) {
        if (!phrases->begins[(uint8_t)text[i]])
            continue;
        phrase = longest_at(phrases, text + i, count - i);
        *place = i;
    }
    return phrase;
}
