#include "h5/h5_look.h"

#include "base/memory.h"
#include "h5/contained.h"
#include "h5/h5.h"
#include "h5/h5_describe.h"

#include <math.h>
#include <string.h>

#define WEIGHT_MOST                                                                                                    \
    ((uint64_t)256 << 20) /* bytes of HDF5's own records, the rest being values, which it does not read */
#define INFLATED 1100     /* times: more than deflate can make of anything (1032) */

/* ---- in the process that looks ---- */

struct look {
    const uint8_t *bytes;
    uint64_t count;
    const char *const *names;
    size_t n;
};

/* Bytes of what lies behind the struct. */
static size_t behind(const struct h5_array *array)
{
    return array->storage == H5_ARRAY_CHUNKED  ? array->count * sizeof *array->chunks
           : array->storage == H5_ARRAY_INSIDE ? array->count
                                               : 0;
}

/* Appends a description to the answer. */
static bool append(const struct h5_array *array, char **answer, size_t *bytes, struct error *error)
{
    size_t more = sizeof *array + behind(array);
    char *longer = memory_alloc(*bytes + more, 1, "an answer", error);
    if (!longer)
        return false;
    if (*bytes > 0)
        memcpy(longer, *answer, *bytes);
    memcpy(longer + *bytes, array, sizeof *array);
    if (more > sizeof *array)
        memcpy(longer + *bytes + sizeof *array,
               array->storage == H5_ARRAY_CHUNKED ? (const void *)array->chunks : array->values, more - sizeof *array);
    memory_free(*answer);
    *answer = longer;
    *bytes += more;
    return true;
}

static bool look_at(hid_t none, void *context, char **answer, size_t *bytes, struct error *error)
{
    const struct look *look = context;
    struct h5_bytes all = {.bytes = look->bytes, .count = look->count};
    hid_t file;
    (void)none;
    h5_init();
    bool ok = h5_bytes_open(&all, &file, error);
    for (size_t i = 0; ok && i < look->n; i++) {
        struct h5_array array = {0};
        ok = h5_describe_array(file, &all, look->names[i], &array, error) && append(&array, answer, bytes, error);
        h5_array_release(&array);
    }
    return ok;
}

/* ---- in the process that has asked: the answer is believed no more than the file ---- */

static bool total_bytes(const struct h5_array *array, size_t *total)
{
    bool ok = array->dims >= 1 && array->dims <= H5_ARRAY_DIMS;
    *total = array->bytes;
    for (size_t i = 0; ok && i < array->dims; i++)
        ok = array->size[i] > 0 && !__builtin_mul_overflow(*total, array->size[i], total);
    return ok;
}

static bool is_number(const struct h5_array *array)
{
    size_t bytes = array->bytes;
    return (unsigned)array->kind <= H5_ARRAY_FLOAT &&
           (bytes == 2 || bytes == 4 || bytes == 8 || (bytes == 1 && array->kind != H5_ARRAY_FLOAT)) &&
           array->missing_count <= H5_ARRAY_MISSING && isfinite(array->scale) && isfinite(array->offset);
}

static bool is_grid(const struct h5_array *array)
{
    size_t chunks = 1, bytes = array->bytes;
    bool ok = array->filter_count <= H5_ARRAY_FILTERS;
    for (size_t f = 0; ok && f < array->filter_count; f++)
        ok = (unsigned)array->filter[f] <= H5_ARRAY_FLETCHER32;
    for (size_t i = 0; ok && i < array->dims; i++)
        ok = array->chunk[i] > 0 && !__builtin_mul_overflow(bytes, array->chunk[i], &bytes) && bytes <= UINT32_MAX &&
             !__builtin_mul_overflow(chunks, (array->size[i] - 1) / array->chunk[i] + 1, &chunks);
    return ok && bytes == array->chunk_bytes && chunks == array->count && chunks <= H5_ARRAY_CHUNKS;
}

static bool is_packed(const struct h5_array *array, const struct h5_chunk *chunk)
{
    for (size_t f = 0; f < array->filter_count; f++)
        if (array->filter[f] == H5_ARRAY_DEFLATE && !(chunk->left_out >> f & 1))
            return true;
    return false;
}

/* All chunks lie in the file, and as much as they claim can be in them. */
static bool are_chunks(const struct h5_array *array, uint64_t count)
{
    for (size_t c = 0; c < array->count; c++) {
        const struct h5_chunk *chunk = &array->chunks[c];
        if (chunk->bytes > 0 && (chunk->place > count || chunk->bytes > count - chunk->place ||
                                 array->chunk_bytes / (is_packed(array, chunk) ? INFLATED : 1) > chunk->bytes))
            return false;
    }
    return true;
}

static bool is_sound(const struct h5_array *array, uint64_t count)
{
    size_t total;
    if (!is_number(array) || !total_bytes(array, &total))
        return false;
    switch (array->storage) {
    case H5_ARRAY_PIECE:
        return array->place <= count && total <= count - array->place;
    case H5_ARRAY_INSIDE:
        return array->count == total;
    case H5_ARRAY_CHUNKED:
        return is_grid(array);
    }
    return false;
}

/* Takes one description off the front of the answer. */
static bool take(const char **answer, size_t *bytes, uint64_t count, struct h5_array *array, struct error *error)
{
    if (*bytes < sizeof *array)
        return false;
    memcpy(array, *answer, sizeof *array);
    *answer += sizeof *array;
    *bytes -= sizeof *array;
    array->values = NULL;
    array->chunks = NULL;
    if (!is_sound(array, count) || behind(array) > *bytes)
        return false;
    size_t more = behind(array);
    void *copy = more > 0 ? memory_alloc(more, 1, "the places of chunks", error) : NULL;
    if (more > 0 && !copy)
        return false;
    if (more > 0)
        memcpy(copy, *answer, more);
    *answer += more;
    *bytes -= more;
    if (array->storage == H5_ARRAY_INSIDE)
        array->values = copy;
    else
        array->chunks = copy;
    return array->storage != H5_ARRAY_CHUNKED || are_chunks(array, count);
}

bool h5_look(const uint8_t *bytes, uint64_t count, const char *const *names, size_t n, struct h5_array *arrays,
             struct error *error)
{
    struct look look = {bytes, count, names, n};
    char *answer = NULL;
    size_t length = 0;
    memset(arrays, 0, n * sizeof *arrays);
    bool ok = contained_run_on_memory(count < WEIGHT_MOST ? count : WEIGHT_MOST, look_at, &look, &answer, &length,
                                      error);
    const char *at = answer;
    for (size_t i = 0; ok && i < n; i++) {
        error_clear(error);
        ok = take(&at, &length, count, &arrays[i], error) ||
             (error->kind != ERROR_NONE ? false
                                        : error_set(error, ERROR_CORRUPT,
                                                    "%.200s is truncated or damaged: its numbers cannot be where HDF5 "
                                                    "says that they are",
                                                    names[i]));
    }
    memory_free(answer);
    for (size_t i = 0; !ok && i < n; i++)
        h5_array_release(&arrays[i]);
    return ok;
}
