/* A dataset that HDF5 has stored in chunks, band by band: a band is all chunks that rows have in common. */
#ifndef DATA_CHUNK_BAND_H
#define DATA_CHUNK_BAND_H

#include "data/chunk_filters.h"

/* One dataset in one file. */
struct chunked {
    const struct h5_array *about; /* borrowed */
    const uint8_t *file;          /* its bytes: under guard_run */
    const char *name;             /* for messages; borrowed */
    /* Set by chunked_measure. */
    size_t band_rows, row_bytes;
    size_t bands, across; /* of them, and chunks of each */
    size_t first_band;    /* of all bands of those that are kept together (chunk_cache.h) */
};

/* Local. about, file and name are set: sets the rest but for first_band. ERROR_VERSION: the bands are too large. */
bool chunked_measure(struct chunked *chunked, struct error *error) WARN_UNUSED;

/* Local; under guard_run. Unpacks a band to to [band_rows, row_bytes]. False, with words: a chunk is damaged. */
bool chunk_band_unpack(const struct chunked *chunked, size_t band, struct chunk_filters *filters, uint8_t *to,
                       struct error *error) WARN_UNUSED;

#endif
