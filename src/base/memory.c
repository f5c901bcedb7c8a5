#include "base/memory.h"

#include "base/limit.h"
#include "base/rank.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; the headers may be older than the kernel */
#endif

#define LARGE ((size_t)1 << 20) /* bytes */

/* Large memory is had all at once, which takes two thirds of the time that its pages take one by one when they are
 * touched first: most of a start is that. Where the kernel does not know how, they come one by one. */
static void *get_large(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    bytes = (bytes + page - 1) / page * page;
    void *memory = aligned_alloc(page, bytes);
    if (memory)
        madvise(memory, bytes, MADV_POPULATE_WRITE);
    return memory;
}

/* Returns NULL if the size overflows or the system has no more. */
static void *get(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes / MEMORY_ALIGNMENT + 1) * MEMORY_ALIGNMENT;
    void *memory = bytes < LARGE ? aligned_alloc(MEMORY_ALIGNMENT, bytes) : get_large(bytes);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void *memory_alloc(size_t count, size_t size, const char *what, struct error *error)
{
    void *memory = get(count, size);
    char limit[LIMIT_WORDS];
    limit_words(ENOMEM, limit);
    if (!memory)
        error_set(error, ERROR_IO, "not enough memory for %s (%.1f MB)%s", what, (double)count * (double)size / 1e6,
                  limit);
    return memory;
}

/* With nothing that might want memory itself. */
void memory_none(size_t bytes, const char *what)
{
    char limit[LIMIT_WORDS];
    limit_words(ENOMEM, limit);
    fprintf(stderr, "lockstep: rank %d: not enough memory: no %zu bytes more for %s%s\n", rank_get(), bytes, what,
            limit);
    _exit(1);
}

void *memory_need_in(size_t count, size_t size, const char *function)
{
    size_t bytes;
    void *memory = get(count, size);
    if (!memory)
        memory_none(__builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes, function);
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

#ifdef __x86_64__
/* A cache line at a time, which then leaves as a whole. */
static size_t stream_lines(float *to, const float *from, size_t count)
{
    size_t done = 0;
    if (((uintptr_t)to | (uintptr_t)from) % 16 != 0)
        return 0;
    for (; done + 16 <= count; done += 16)
        for (size_t i = 0; i < 16; i += 4)
            _mm_stream_ps(to + done + i, _mm_load_ps(from + done + i));
    return done;
}

void memory_stream_end(void)
{
    _mm_sfence();
}
#else
static size_t stream_lines(float *to, const float *from, size_t count)
{
    (void)to, (void)from, (void)count;
    return 0;
}

void memory_stream_end(void)
{
}
#endif

void memory_stream(float *to, const float *from, size_t count)
{
    size_t done = stream_lines(to, from, count);
    memcpy(to + done, from + done, (count - done) * sizeof *to);
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
