#include "data/chunk_filters.h"

#include "base/memory.h"

#include <string.h>

#define CHECKSUM 4 /* bytes */

bool chunk_filters_init(struct chunk_filters *filters, size_t chunk_bytes, struct error *error)
{
    memset(filters, 0, sizeof *filters);
    filters->room_bytes = chunk_bytes + chunk_bytes / 512 +
                          128; /* what does not deflate grows a little, and checksums */
    for (int r = 0; r < 2; r++) {
        filters->room[r] = memory_alloc(filters->room_bytes, 1, "a chunk", error);
        if (!filters->room[r])
            return false;
    }
    filters->has_stream = inflateInit(&filters->stream) == Z_OK;
    return filters->has_stream || error_set(error, ERROR_IO, "not enough memory to inflate chunks");
}

void chunk_filters_release(struct chunk_filters *filters)
{
    if (filters->has_stream)
        inflateEnd(&filters->stream);
    memory_free(filters->room[0]);
    memory_free(filters->room[1]);
    memset(filters, 0, sizeof *filters);
}

/* What is left of a chunk on its way back. */
struct stage {
    const uint8_t *bytes;
    size_t count;
    int room; /* where the next filter may write */
};

/* J. G. Fletcher, "An arithmetic checksum for serial transmissions" (IEEE Trans. Commun. 30, 1982), of 16-bit words,
 * big-endian, the last padded with 0; the sums are modulo 65535, of which HDF5 writes either zero. */
static uint32_t fletcher32(const uint8_t *bytes, size_t count)
{
    uint64_t first = 0, second = 0;
    for (size_t i = 0; i < count; i += 2) {
        first += (uint64_t)bytes[i] << 8 | (i + 1 < count ? bytes[i + 1] : 0);
        second += first;
        if (i % 8192 == 0) { /* long before they overflow */
            first %= 65535;
            second %= 65535;
        }
    }
    return (uint32_t)(second % 65535) << 16 | (uint32_t)(first % 65535);
}

static uint32_t reduced(uint32_t second, uint32_t first)
{
    return second % 65535 << 16 | first % 65535;
}

/* Behind the bytes, little-endian. HDF5 before 1.6.3 has swapped the bytes of both halves on machines like this. */
static const char *undo_fletcher32(struct stage *stage)
{
    if (stage->count < CHECKSUM)
        return "is too short for its checksum";
    stage->count -= CHECKSUM;
    const uint8_t *b = stage->bytes + stage->count;
    uint32_t sum = fletcher32(stage->bytes, stage->count);
    uint32_t stored = reduced((uint32_t)b[3] << 8 | b[2], (uint32_t)b[1] << 8 | b[0]);
    uint32_t swapped = reduced((uint32_t)b[2] << 8 | b[3], (uint32_t)b[0] << 8 | b[1]);
    return sum == stored || sum == swapped ? NULL : "does not have its checksum (fletcher32)";
}

/* expected: what has to come out. */
static const char *undo_deflate(struct chunk_filters *filters, struct stage *stage, size_t expected)
{
    z_stream *stream = &filters->stream;
    uint8_t *to = filters->room[stage->room];
    inflateReset(stream);
    stream->next_in = (Bytef *)(uintptr_t)stage->bytes;
    stream->avail_in = (unsigned)stage->count;
    stream->next_out = to;
    stream->avail_out = (unsigned)expected;
    int status = inflate(stream, Z_FINISH);
    if (status == Z_STREAM_END && stream->avail_out > 0)
        return "inflates to fewer bytes than it has";
    if (status != Z_STREAM_END)
        return status == Z_BUF_ERROR && stream->avail_out == 0 ? "inflates to more bytes than it has"
                                                               : "does not inflate";
    *stage = (struct stage){to, expected, 1 - stage->room};
    return NULL;
}

/* The bytes of numbers of this width lie apart: all first ones, then all second ones... */
static inline void gather(const uint8_t *from, uint8_t *to, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < width; b++)
            to[i * width + b] = from[b * n + i];
}

static void undo_shuffle(struct chunk_filters *filters, struct stage *stage, size_t width)
{
    if (width <= 1 || stage->count < width)
        return;
    uint8_t *to = filters->room[stage->room];
    size_t n = stage->count / width, done = n * width;
    switch (width) {
    case 2:
        gather(stage->bytes, to, n, 2);
        break;
    case 4:
        gather(stage->bytes, to, n, 4);
        break;
    case 8:
        gather(stage->bytes, to, n, 8);
        break;
    default:
        gather(stage->bytes, to, n, width);
    }
    memcpy(to + done, stage->bytes + done, stage->count - done);
    *stage = (struct stage){to, stage->count, 1 - stage->room};
}

/* Bytes that filter f was given: the checksums of those before it are among them. */
static size_t bytes_before(const struct h5_array *about, const struct h5_chunk *chunk, size_t f)
{
    size_t bytes = about->chunk_bytes;
    for (size_t i = 0; i < f; i++)
        if (about->filter[i] == H5_ARRAY_FLETCHER32 && !(chunk->left_out >> i & 1))
            bytes += CHECKSUM;
    return bytes;
}

const uint8_t *chunk_filters_undo(struct chunk_filters *filters, const struct h5_array *about,
                                  const struct h5_chunk *chunk, const uint8_t *stored, const char **why)
{
    struct stage stage = {stored, chunk->bytes, 0};
    *why = NULL;
    for (size_t f = about->filter_count; f-- > 0 && !*why;) {
        size_t expected = bytes_before(about, chunk, f);
        if (chunk->left_out >> f & 1)
            continue;
        switch (about->filter[f]) {
        case H5_ARRAY_FLETCHER32:
            *why = undo_fletcher32(&stage);
            break;
        case H5_ARRAY_DEFLATE:
            *why = undo_deflate(filters, &stage, expected);
            break;
        case H5_ARRAY_SHUFFLE:
            if (stage.count > filters->room_bytes)
                *why = "is longer than it can be";
            else
                undo_shuffle(filters, &stage, about->shuffled);
            break;
        }
    }
    if (!*why && stage.count != about->chunk_bytes)
        *why = "has another length than it should";
    return *why ? NULL : stage.bytes;
}
