#include "data/tokenizer/strings.h"

#include "base/digest.h"
#include "base/memory.h"

#include <string.h>

void strings_release(struct strings *strings)
{
    text_release(&strings->bytes);
    memory_free(strings->ends);
    memory_free(strings->slots);
    *strings = (struct strings){0};
}

void strings_clear(struct strings *strings)
{
    strings->count = strings->findable = strings->bytes.length = 0;
    if (strings->slots)
        memset(strings->slots, 0, strings->slot_count * sizeof *strings->slots);
}

const char *strings_at(const struct strings *strings, size_t number, size_t *count)
{
    size_t begin = number ? strings->ends[number - 1] : 0;
    *count = strings->ends[number] - begin;
    return text_bytes(&strings->bytes) + begin;
}

/* The slot of a string, or the free one where it would be. At least half of them are free. */
static uint32_t *slot_of(const struct strings *strings, const char *bytes, size_t count)
{
    size_t slot = digest_bytes(bytes, count);
    for (;; slot++) {
        uint32_t *here = &strings->slots[slot & (strings->slot_count - 1)];
        size_t there;
        if (*here == 0)
            return here;
        const char *other = strings_at(strings, *here - 1, &there);
        if (there == count && memcmp(other, bytes, count) == 0)
            return here;
    }
}

/* Room for one slot more. */
static void grow_slots(struct strings *strings)
{
    if (2 * (strings->findable + 1) <= strings->slot_count)
        return;
    uint32_t *slots = strings->slots;
    size_t count = strings->slot_count;
    strings->slot_count = count ? 2 * count : 64;
    strings->slots = memory_need(strings->slot_count, sizeof *slots);
    for (size_t i = 0; i < count; i++) {
        size_t length;
        if (slots[i]) {
            const char *bytes = strings_at(strings, slots[i] - 1, &length);
            *slot_of(strings, bytes, length) = slots[i];
        }
    }
    memory_free(slots);
}

void strings_add(struct strings *strings, const char *bytes, size_t count, bool findable)
{
    strings->ends = memory_grow(strings->ends, strings->count, &strings->capacity, sizeof *strings->ends);
    text_append_bytes(&strings->bytes, bytes, count);
    strings->ends[strings->count++] = strings->bytes.length;
    if (!findable)
        return;
    grow_slots(strings);
    *slot_of(strings, bytes, count) = (uint32_t)strings->count;
    strings->findable++;
}

bool strings_find(const struct strings *strings, const char *bytes, size_t count, uint32_t *number)
{
    uint32_t slot = strings->slot_count ? *slot_of(strings, bytes, count) : 0;
    *number = slot - 1;
    return slot > 0;
}
