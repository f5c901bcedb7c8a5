#include "data/chunk_cache.h"

#include "base/check.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/wait.h"

#include <stdatomic.h>
#include <string.h>

#define PATIENCE_S 30.0 /* for another one who unpacks a band */

/* What `where` says of a band. */
enum { ABSENT = 0, CLAIMED = 1, DAMAGED = 2, THERE = 3 /* + its place */ };

#define BANDS_MOST ((size_t)1 << 31) /* words are of 32 bits */
#define TAKEN      UINT32_MAX        /* for `readers`: of a place that is between two bands */

struct chunk_slot {
    _Atomic uint32_t readers;
    _Atomic uint32_t band; /* 1 + its number; 0: none */
};

struct chunk_shared {
    _Atomic uint64_t unpacked; /* chunks */
    _Atomic uint64_t hand;     /* counts places that were looked at for a new band */
};

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "words lie in shared memory, and are zero at first");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2, "processes share no locks of a library");

/* ---- memory ---- */

static size_t aligned(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

/* Where everything is in the memory. */
struct places {
    size_t slot, where, bytes, end;
};

static struct places places_of(const struct chunk_cache *cache, size_t slots)
{
    struct places places;
    places.slot = aligned(sizeof(struct chunk_shared));
    places.where = places.slot + aligned(slots * sizeof(struct chunk_slot));
    places.bytes = places.where + aligned(cache->bands * sizeof *cache->where);
    places.end = places.bytes + aligned(slots * cache->slot_bytes);
    return places;
}

size_t chunk_cache_bytes(const struct chunk_cache *cache, size_t slots)
{
    return places_of(cache, slots).end;
}

void chunk_cache_share(struct chunk_cache *cache, void *memory, size_t slots)
{
    struct places places = places_of(cache, slots);
    CHECK(slots > 0 && slots < TAKEN - THERE, "places have numbers");
    memory_free(cache->own);
    cache->own = NULL;
    cache->shared = memory;
    cache->slot = (void *)((uint8_t *)memory + places.slot);
    cache->where = (void *)((uint8_t *)memory + places.where);
    cache->bytes = (uint8_t *)memory + places.bytes;
    cache->slots = slots;
    cache->held = 0;
}

bool chunk_cache_init(struct chunk_cache *cache, struct chunked *const *chunked, size_t n, struct error *error)
{
    size_t chunk_bytes = 0;
    memset(cache, 0, sizeof *cache);
    for (size_t i = 0; i < n; i++) {
        const struct h5_array *about = chunked[i]->about;
        if (!chunked_measure(chunked[i], error))
            return false;
        size_t band_bytes = chunked[i]->band_rows * chunked[i]->row_bytes;
        chunk_bytes = about->chunk_bytes > chunk_bytes ? about->chunk_bytes : chunk_bytes;
        cache->slot_bytes = band_bytes > cache->slot_bytes ? band_bytes : cache->slot_bytes;
        chunked[i]->first_band = cache->bands;
        cache->bands += chunked[i]->bands;
        cache->chunk_count += about->count;
    }
    if (cache->bands > BANDS_MOST)
        return error_set(error, ERROR_VERSION,
                         "%s: %zu chunks are too many: h5repack -l CHUNK=SIZES OLD NEW with larger ones",
                         chunked[0]->name, cache->bands);
    size_t slots = cache->slot_bytes < CHUNK_CACHE_KEPT ? CHUNK_CACHE_KEPT / cache->slot_bytes : 1;
    slots = slots < cache->bands ? slots : cache->bands;
    void *own = memory_alloc(1, chunk_cache_bytes(cache, slots), "chunks", error);
    if (!own)
        return false;
    chunk_cache_share(cache, own, slots);
    cache->own = own;
    return chunk_filters_init(&cache->filters, chunk_bytes, error);
}

void chunk_cache_release(struct chunk_cache *cache)
{
    chunk_filters_release(&cache->filters);
    memory_free(cache->own);
    memory_free(cache->spare);
    memset(cache, 0, sizeof *cache);
}

uint64_t chunk_cache_unpacked(const struct chunk_cache *cache)
{
    return cache->shared ? atomic_load(&cache->shared->unpacked) : 0;
}

/* ---- unpacking ---- */

struct unpacking {
    struct chunk_cache *cache;
    const struct chunked *chunked;
    size_t band;
    uint8_t *to;
    struct error *error;
    bool ok;
};

static void unpack(void *context)
{
    struct unpacking *unpacking = context;
    unpacking->ok = chunk_band_unpack(unpacking->chunked, unpacking->band, &unpacking->cache->filters, unpacking->to,
                                      unpacking->error);
}

/* By itself, for nobody else. */
static const uint8_t *unpack_apart(struct chunk_cache *cache, const struct chunked *chunked, size_t band,
                                   struct error *error)
{
    size_t number = chunked->first_band + band;
    if (cache->spare_band == 1 + number)
        return cache->spare;
    if (!cache->spare)
        cache->spare = memory_alloc(1, cache->slot_bytes, "a chunk", error);
    cache->spare_band = 0;
    if (!cache->spare || !chunk_band_unpack(chunked, band, &cache->filters, cache->spare, error))
        return NULL;
    cache->spare_band = 1 + number;
    return cache->spare;
}

void chunk_cache_set_apart(struct chunk_cache *cache, bool is_apart)
{
    cache->is_apart = is_apart;
    cache->spare_band = 0;
}

/* ---- bands that are kept ---- */

static _Atomic uint32_t *word_of(const struct chunk_cache *cache, size_t number)
{
    return (_Atomic uint32_t *)(void *)&cache->where[number];
}

static void let_go(struct chunk_cache *cache)
{
    if (cache->held > 0)
        atomic_fetch_sub(&cache->slot[cache->held_slot].readers, 1);
    cache->held = 0;
}

/* Whether the place holds the band, which from then on stays. */
static bool hold(struct chunk_cache *cache, size_t s, size_t number)
{
    struct chunk_slot *slot = &cache->slot[s];
    uint32_t readers = atomic_load(&slot->readers);
    do {
        if (readers == TAKEN)
            return false;
    } while (!atomic_compare_exchange_weak(&slot->readers, &readers, readers + 1));
    if (atomic_load(&slot->band) == 1 + number) {
        cache->held = 1 + number;
        cache->held_slot = s;
        return true;
    }
    atomic_fetch_sub(&slot->readers, 1);
    return false;
}

/* The next place, in a round, that nobody reads; the band that was in it is absent. False: for all too long there was
 * none. */
static bool take_slot(struct chunk_cache *cache, size_t *taken)
{
    struct wait wait = wait_begin(PATIENCE_S);
    for (size_t tried = 1;; tried++) {
        size_t s = (size_t)(atomic_fetch_add(&cache->shared->hand, 1) % cache->slots);
        struct chunk_slot *slot = &cache->slot[s];
        uint32_t readers = 0;
        if (!atomic_compare_exchange_strong(&slot->readers, &readers, TAKEN)) {
            if (tried % cache->slots > 0)
                continue;
            if (wait_is_over(&wait))
                return false;
            wait_nap(&wait);
            continue;
        }
        uint32_t band = atomic_exchange(&slot->band, 0);
        if (band > 0)
            atomic_store(word_of(cache, band - 1), ABSENT);
        *taken = s;
        return true;
    }
}

/* Of a band that this process has claimed. */
static const uint8_t *bring(struct chunk_cache *cache, const struct chunked *chunked, size_t band, struct error *error)
{
    size_t number = chunked->first_band + band, s;
    if (!take_slot(cache, &s)) {
        atomic_store(word_of(cache, number), ABSENT);
        return unpack_apart(cache, chunked, band, error);
    }
    struct chunk_slot *slot = &cache->slot[s];
    struct unpacking unpacking = {cache, chunked, band, cache->bytes + s * cache->slot_bytes, error, false};
    const void *hole = NULL;
    bool is_whole = guard_run(unpack, &unpacking, &hole);
    if (is_whole && unpacking.ok) {
        atomic_fetch_add(&cache->shared->unpacked, chunked->across);
        atomic_store(&slot->band, (uint32_t)(1 + number));
        atomic_store(&slot->readers, 1);
        atomic_store(word_of(cache, number), (uint32_t)(THERE + s));
        cache->held = 1 + number;
        cache->held_slot = s;
        return unpacking.to;
    }
    atomic_store(&slot->readers, 0);
    atomic_store(word_of(cache, number), DAMAGED);
    if (!is_whole) { /* who guards this call says what it means */
        (void)*(const volatile uint8_t *)hole;
        error_set(error, ERROR_IO, "%s could not be read for a while", chunked->name);
    }
    return NULL;
}

static const uint8_t *find(struct chunk_cache *cache, const struct chunked *chunked, size_t band, struct error *error)
{
    size_t number = chunked->first_band + band;
    if (cache->is_apart)
        return unpack_apart(cache, chunked, band, error);
    if (cache->held == 1 + number)
        return cache->bytes + cache->held_slot * cache->slot_bytes;
    let_go(cache);
    for (struct wait wait = wait_begin(PATIENCE_S);;) {
        uint32_t where = atomic_load(word_of(cache, number));
        if (where == ABSENT && atomic_compare_exchange_strong(word_of(cache, number), &where, CLAIMED))
            return bring(cache, chunked, band, error);
        if (where >= THERE && hold(cache, where - THERE, number))
            return cache->bytes + cache->held_slot * cache->slot_bytes;
        if (where == DAMAGED || wait_is_over(&wait))
            return unpack_apart(cache, chunked, band, error);
        wait_nap(&wait);
    }
}

const uint8_t *chunk_cache_rows(struct chunk_cache *cache, const struct chunked *chunked, size_t first, size_t *count,
                                struct error *error)
{
    size_t band = first / chunked->about->chunk[0], within = first - band * chunked->about->chunk[0];
    const uint8_t *bytes = find(cache, chunked, band, error);
    if (*count > chunked->band_rows - within)
        *count = chunked->band_rows - within;
    return bytes ? bytes + within * chunked->row_bytes : NULL;
}
