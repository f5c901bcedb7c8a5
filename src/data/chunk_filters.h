/* What HDF5's filters deflate, shuffle and fletcher32 have done to a chunk (The HDF Group, "HDF5 File Format
 * Specification" 3.0, "Data Storage - Filter Pipeline"; the filters themselves: "HDF5 Reference Manual",
 * H5Pset_deflate, H5Pset_shuffle, H5Pset_fletcher32) is undone, without HDF5. */
#ifndef DATA_CHUNK_FILTERS_H
#define DATA_CHUNK_FILTERS_H

#include "base/error.h"
#include "h5/h5_array.h"

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

struct chunk_filters {
    /* private */
    uint8_t *room[2]; /* [room_bytes] each, for what is between two filters */
    size_t room_bytes;
    z_stream stream;
    bool has_stream;
};

/* Local. For chunks of up to so many bytes. Release accepts what is all 0. */
bool chunk_filters_init(struct chunk_filters *filters, size_t chunk_bytes, struct error *error) WARN_UNUSED;
void chunk_filters_release(struct chunk_filters *filters);

/* Local. stored: [chunk->bytes], above 0. Returns the chunk's about->chunk_bytes bytes, valid until the next call;
 * NULL: *why says what is wrong with it ("does not inflate"). Holds nothing: for use in guarded work. */
const uint8_t *chunk_filters_undo(struct chunk_filters *filters, const struct h5_array *about,
                                  const struct h5_chunk *chunk, const uint8_t *stored, const char **why);

#endif
