#include "base/memory.h"

#include "base/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Returns NULL if the size overflows or the system has no more. */
static void *get(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 2 * MEMORY_ALIGNMENT)
        return NULL;
    bytes = (bytes / MEMORY_ALIGNMENT + 1) * MEMORY_ALIGNMENT;
    void *memory = aligned_alloc(MEMORY_ALIGNMENT, bytes);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void *memory_alloc(size_t count, size_t size, const char *what, struct error *error)
{
    void *memory = get(count, size);
    if (!memory)
        error_set(error, ERROR_IO, "not enough memory for %s (%.1f MB)", what, (double)count * (double)size / 1e6);
    return memory;
}

void *memory_need(size_t count, size_t size)
{
    void *memory = get(count, size);
    CHECK(memory, "out of memory for a small object");
    return memory;
}

void *memory_grow(void *items, size_t length, size_t *capacity, size_t size)
{
    if (length < *capacity)
        return items;
    *capacity = 2 * *capacity + 8;
    void *larger = memory_need(*capacity, size);
    if (length > 0)
        memcpy(larger, items, length * size);
    memory_free(items);
    return larger;
}

char *memory_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(memory_need(bytes, 1), text, bytes);
}

void memory_free(void *memory)
{
    free(memory);
}
