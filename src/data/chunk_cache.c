#include "data/chunk_cache.h"

#include "base/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEPT      ((size_t)32 << 20) /* bytes of bands; one in any case */
#define BAND_MOST ((size_t)1 << 30)

struct chunk_slot {
    struct chunked *owner; /* NULL: nothing is in it */
    size_t band;
    bool used; /* since the hand has passed */
};

/* ---- sizes ---- */

static bool measure(struct chunked *chunked, struct error *error)
{
    const struct h5_array *about = chunked->about;
    chunked->row_bytes = about->bytes;
    for (size_t i = 1; i < about->dims; i++)
        chunked->row_bytes *= about->size[i];
    chunked->band_rows = about->chunk[0] < about->size[0] ? about->chunk[0] : about->size[0];
    chunked->bands = (about->size[0] - 1) / about->chunk[0] + 1;
    chunked->across = about->count / chunked->bands;
    chunked->slot = memory_alloc(chunked->bands, sizeof *chunked->slot, chunked->name, error);
    if (!chunked->slot)
        return false;
    return chunked->band_rows <= BAND_MOST / chunked->row_bytes ||
           error_set(error, ERROR_VERSION,
                     "%s has chunks of %zu samples, %.1f GB, which have to be unpacked for each of them: h5repack -l "
                     "CONTI OLD NEW, or -l CHUNK=SIZES with smaller ones",
                     chunked->name, chunked->band_rows, (double)chunked->band_rows * (double)chunked->row_bytes / 1e9);
}

bool chunk_cache_init(struct chunk_cache *cache, struct chunked *const *chunked, size_t n, struct error *error)
{
    size_t chunk_bytes = 0, bands = 0;
    memset(cache, 0, sizeof *cache);
    for (size_t i = 0; i < n; i++) {
        const struct h5_array *about = chunked[i]->about;
        if (!measure(chunked[i], error))
            return false;
        size_t band_bytes = chunked[i]->band_rows * chunked[i]->row_bytes;
        chunk_bytes = about->chunk_bytes > chunk_bytes ? about->chunk_bytes : chunk_bytes;
        cache->slot_bytes = band_bytes > cache->slot_bytes ? band_bytes : cache->slot_bytes;
        bands += chunked[i]->bands;
    }
    cache->slots = cache->slot_bytes < KEPT ? KEPT / cache->slot_bytes : 1;
    cache->slots = cache->slots < bands ? cache->slots : bands;
    cache->slot = memory_need(cache->slots, sizeof *cache->slot);
    cache->bytes = memory_alloc(cache->slots, cache->slot_bytes, "chunks", error);
    return cache->bytes && chunk_filters_init(&cache->filters, chunk_bytes, error);
}

void chunk_cache_release(struct chunk_cache *cache)
{
    chunk_filters_release(&cache->filters);
    memory_free(cache->bytes);
    memory_free(cache->slot);
    memset(cache, 0, sizeof *cache);
}

void chunked_release(struct chunked *chunked)
{
    memory_free(chunked->slot);
    chunked->slot = NULL;
}

/* ---- a band is unpacked ---- */

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
static const uint8_t *make_fill(struct chunk_cache *cache, const struct h5_array *about)
{
    uint8_t *to = cache->filters.room[0];
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

static bool unpack(struct chunk_cache *cache, const struct chunked *chunked, size_t band, uint8_t *to,
                   struct error *error)
{
    const struct h5_array *about = chunked->about;
    for (size_t k = 0; k < chunked->across; k++) {
        const struct h5_chunk *chunk = &about->chunks[band * chunked->across + k];
        const char *why = NULL;
        const uint8_t *from;
        if (chunk->bytes == 0)
            from = make_fill(cache, about);
        else {
            announce(chunked->file + chunk->place, chunk->bytes);
            from = chunk_filters_undo(&cache->filters, about, chunk, chunked->file + chunk->place, &why);
        }
        size_t first = band * about->chunk[0], last = first + about->chunk[0] - 1;
        if (!from)
            return error_set(error, ERROR_CORRUPT, "%s is damaged: a chunk of samples %zu to %zu (counted from 0) %s",
                             chunked->name, first, last < about->size[0] ? last : about->size[0] - 1, why);
        put(chunked, band, k, from, to);
    }
    return true;
}

/* ---- bands that are kept ---- */

/* The one that was not used for longest, or nearly: all that were since the hand has passed them are spared once. */
static size_t free_slot(struct chunk_cache *cache)
{
    while (cache->slot[cache->hand].used) {
        cache->slot[cache->hand].used = false;
        cache->hand = (cache->hand + 1) % cache->slots;
    }
    size_t s = cache->hand;
    struct chunk_slot *slot = &cache->slot[s];
    cache->hand = (s + 1) % cache->slots;
    if (slot->owner)
        slot->owner->slot[slot->band] = 0;
    slot->owner = NULL;
    return s;
}

const uint8_t *chunk_cache_rows(struct chunk_cache *cache, struct chunked *chunked, size_t first, size_t *count,
                                struct error *error)
{
    size_t band = first / chunked->about->chunk[0], within = first - band * chunked->about->chunk[0];
    size_t s = chunked->slot[band] ? chunked->slot[band] - 1 : free_slot(cache);
    uint8_t *bytes = cache->bytes + s * cache->slot_bytes;
    if (!chunked->slot[band]) {
        if (!unpack(cache, chunked, band, bytes, error))
            return NULL;
        cache->slot[s] = (struct chunk_slot){.owner = chunked, .band = band};
        chunked->slot[band] = (uint32_t)(s + 1);
    }
    cache->slot[s].used = true;
    if (*count > chunked->band_rows - within)
        *count = chunked->band_rows - within;
    return bytes + within * chunked->row_bytes;
}
