/* Bands of chunks that are kept unpacked, in a fixed amount of memory, so that samples that lie together do not inflate
 * a chunk again and again. The memory may be shared: processes that have the same datasets open then unpack each band
 * for each other. What was unpacked first goes first, but never what somebody reads.
 *
 * In the memory is a word for each band, which says whether it is there and where, and a count of readers for each
 * place. Who finds a band absent, claims its word and unpacks it; others nap until it is there. A reader counts itself
 * in, and then looks whether the place still holds the band; a place is taken from a band only while its count is 0.
 * Everybody reads one band at a time, so that with as many places as readers one is always free.
 *
 * A band that does not unpack is marked: each reader who wants it then tries it by himself, and so learns what is wrong
 * with it. The same does who has waited for another one all too long. */
#ifndef DATA_CHUNK_CACHE_H
#define DATA_CHUNK_CACHE_H

#include "data/chunk_band.h"

#define CHUNK_CACHE_KEPT ((size_t)32 << 20) /* bytes of bands that a reader keeps for itself; one in any case */

/* One process's view. */
struct chunk_cache {
    struct chunk_filters filters;
    size_t bands;       /* of all datasets; 0: it was not opened */
    size_t slot_bytes;  /* of the largest band */
    size_t slots;       /* places for bands */
    size_t chunk_count; /* chunks of all datasets */
    /* private */
    void *own; /* the memory, if it is not shared */
    struct chunk_shared *shared;
    struct chunk_slot *slot; /* [slots] */
    uint32_t *where;         /* [bands], atomic */
    uint8_t *bytes;          /* [slots, slot_bytes] */
    size_t held, held_slot;  /* 1 + the band that is read, 0: none; and where it is */
    bool is_apart;
    uint8_t *spare;    /* [slot_bytes]; NULL: it was not needed */
    size_t spare_band; /* 1 + the band in it; 0: none */
};

/* Local. For the rows of `n` datasets, of which about, file and name are set: sets the rest; keeps bands for itself.
 * Release accepts what is all 0. Nothing stays after failure but what it releases. ERROR_VERSION: the bands are too
 * large, or too many. */
bool chunk_cache_init(struct chunk_cache *cache, struct chunked *const *chunked, size_t n,
                      struct error *error) WARN_UNUSED;
void chunk_cache_release(struct chunk_cache *cache);

/* Local. What so many places need. */
size_t chunk_cache_bytes(const struct chunk_cache *cache, size_t slots);

/* Local. From here on it keeps its bands in this memory of chunk_cache_bytes(slots), 64-byte aligned, which was all 0
 * before the first reader came; the memory is given back by its owner, after the last one has read. All readers
 * have the same datasets, in the same layout, since places and bands go by numbers, and give the same slots: as many as
 * there are readers, or all bands. */
void chunk_cache_share(struct chunk_cache *cache, void *memory, size_t slots);

/* Local. While it is set, what is kept is not looked at, and nothing is added to it: bands are what the files hold
 * now. */
void chunk_cache_set_apart(struct chunk_cache *cache, bool is_apart);

/* Local. Chunks that all who share the memory have unpacked since they do. */
uint64_t chunk_cache_unpacked(const struct chunk_cache *cache);

/* Local; under guard_run. Row `first`, and in *count how many from there on, up to *count, lie together; valid until
 * the next call. NULL, with words: a chunk is damaged. */
const uint8_t *chunk_cache_rows(struct chunk_cache *cache, const struct chunked *chunked, size_t first, size_t *count,
                                struct error *error) WARN_UNUSED;

#endif
