#include "data/chunk_band.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BAND_MOST ((size_t)1 << 30)

bool chunked_measure(struct chunked *chunked, struct error *error)
{
    const struct h5_array *about = chunked->about;
    chunked->row_bytes = about->bytes;
    for (size_t i = 1; i < about->dims; i++)
        chunked->row_bytes *= about->size[i];
    chunked->band_rows = about->chunk[0] < about->size[0] ? about->chunk[0] : about->size[0];
    chunked->bands = (about->size[0] - 1) / about->chunk[0] + 1;
    chunked->across = about->count / chunked->bands;
    return chunked->band_rows <= BAND_MOST / chunked->row_bytes ||
           error_set(error, ERROR_VERSION,
                     "%s has chunks of %zu samples, %.1f GB, which have to be unpacked for each of them: h5repack -l "
                     "CONTI OLD NEW, or -l CHUNK=SIZES with smaller ones",
                     chunked->name, chunked->band_rows, (double)chunked->band_rows * (double)chunked->row_bytes / 1e9);
}

/* What of a chunk lies in the dataset goes to its place in the band. */
struct copy {
    size_t whole; /* all axes behind this one are as long in both */
    size_t extent[H5_ARRAY_DIMS];
    size_t from_step[H5_ARRAY_DIMS], to_step[H5_ARRAY_DIMS]; /* bytes from one to the next */
};

static void copy_axis(const struct copy *copy, size_t axis, const uint8_t *from, uint8_t *to)
{
    if (axis == copy->whole)
        memcpy(to, from, copy->extent[axis] * copy->from_step[axis]);
    else
        for (size_t i = 0; i < copy->extent[axis]; i++)
            copy_axis(copy, axis + 1, from + i * copy->from_step[axis], to + i * copy->to_step[axis]);
}

/* The chunk that is the k-th across. */
static void put(const struct chunked *chunked, size_t band, size_t k, const uint8_t *from, uint8_t *to)
{
    const struct h5_array *about = chunked->about;
    struct copy copy = {.whole = about->dims - 1};
    size_t from_step = about->bytes, to_step = about->bytes;
    for (size_t i = about->dims; i-- > 0;) {
        size_t along = (about->size[i] - 1) / about->chunk[i] + 1, at = i == 0 ? band : k % along;
        size_t start = at * about->chunk[i], rest = about->size[i] - start;
        k = i == 0 ? 0 : k / along;
        copy.extent[i] = rest < about->chunk[i] ? rest : about->chunk[i];
        copy.from_step[i] = from_step;
        copy.to_step[i] = to_step;
        to += i == 0 ? 0 : start * to_step;
        from_step *= about->chunk[i];
        to_step *= about->size[i];
    }
    while (copy.whole > 0 && about->chunk[copy.whole] == about->size[copy.whole])
        copy.whole--;
    copy_axis(&copy, 0, from, to);
}

/* What was never written. */
static const uint8_t *make_fill(struct chunk_filters *filters, const struct h5_array *about)
{
    uint8_t *to = filters->room[0];
    for (size_t at = 0; at < about->chunk_bytes; at += about->bytes)
        memcpy(to + at, about->fill, about->bytes);
    return to;
}

/* Tells the system what is read next: it fetches all of it at once, not page by page. */
static void announce(const uint8_t *bytes, size_t count)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)bytes & ~(page - 1);
    (void)madvise((void *)begin, (uintptr_t)bytes + count - begin, MADV_WILLNEED);
}

bool chunk_band_unpack(const struct chunked *chunked, size_t band, struct chunk_filters *filters, uint8_t *to,
                       struct error *error)
{
    const struct h5_array *about = chunked->about;
    for (size_t k = 0; k < chunked->across; k++) {
        const struct h5_chunk *chunk = &about->chunks[band * chunked->across + k];
        const char *why = NULL;
        const uint8_t *from;
        if (chunk->bytes == 0)
            from = make_fill(filters, about);
        else {
            announce(chunked->file + chunk->place, chunk->bytes);
            from = chunk_filters_undo(filters, about, chunk, chunked->file + chunk->place, &why);
        }
        size_t first = band * about->chunk[0], last = first + about->chunk[0] - 1;
        if (!from)
            return error_set(error, ERROR_CORRUPT, "%s is damaged: a chunk of samples %zu to %zu (counted from 0) %s",
                             chunked->name, first, last < about->size[0] ? last : about->size[0] - 1, why);
        put(chunked, band, k, from, to);
    }
    return true;
}
