/* An HDF5 file that is mapped, or in memory: HDF5 walks through it without opening anything. Where it would read a
 * chunk can be noted instead: HDF5 1.10 has no other way to tell the places of all chunks in a time that grows with
 * their number only (H5Dget_chunk_info and H5Dget_chunk_info_by_coord both go through those before). */
#ifndef H5_H5_BYTES_H
#define H5_H5_BYTES_H

#include "base/error.h"

#include <hdf5.h>
#include <stdint.h>

struct h5_bytes {
    const uint8_t *bytes; /* [count] */
    uint64_t count;
    bool noting;    /* values are not read: the memory for them stays as it is, and `place` is set */
    uint64_t place; /* of those that were asked for last, counted from the first byte */
};

/* Local. Opens; `bytes` stays where it is until the file is closed. Errors as h5_open, without a path. */
bool h5_bytes_open(struct h5_bytes *bytes, hid_t *file, struct error *error) WARN_UNUSED;

#endif
