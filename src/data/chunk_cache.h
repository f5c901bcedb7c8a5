/* Rows of datasets that HDF5 has stored in chunks. All chunks that rows have in common are a band; the bands that were
 * used last are kept unpacked, in a fixed amount of memory, so that samples that follow each other do not inflate a
 * chunk again and again. One reader at a time. */
#ifndef DATA_CHUNK_CACHE_H
#define DATA_CHUNK_CACHE_H

#include "data/chunk_filters.h"

/* One dataset in one file. */
struct chunked {
    const struct h5_array *about; /* borrowed */
    const uint8_t *file;          /* its bytes: under guard_run */
    const char *name;             /* for messages; borrowed */
    /* private */
    size_t band_rows, row_bytes;
    size_t bands, across; /* of them, and chunks of each */
    uint32_t *slot;       /* [bands]; 0: not in memory, else 1 + where */
};

struct chunk_cache {
    /* private */
    struct chunk_filters filters;
    uint8_t *bytes; /* [slots, slot_bytes] */
    size_t slots, slot_bytes;
    struct chunk_slot *slot; /* [slots] */
    size_t hand;             /* the next one that is looked at when one has to go */
};

/* Local. For the rows of `n` datasets, of which about, file and name are set: sets the rest. Both release what is all
 * 0. Nothing stays after failure but what they release. */
bool chunk_cache_init(struct chunk_cache *cache, struct chunked *const *chunked, size_t n,
                      struct error *error) WARN_UNUSED;
void chunk_cache_release(struct chunk_cache *cache);
void chunked_release(struct chunked *chunked);

/* Local; under guard_run. Row `first`, and in *count how many from there on, up to *count, lie together; valid until
 * the next call. NULL, with words: a chunk is damaged. */
const uint8_t *chunk_cache_rows(struct chunk_cache *cache, struct chunked *chunked, size_t first, size_t *count,
                                struct error *error) WARN_UNUSED;

#endif
