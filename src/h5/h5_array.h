/* A dataset of numbers in an HDF5 file that somebody else has made: what they are, and where in the file they lie, so
 * that they can be read without HDF5. */
#ifndef H5_H5_ARRAY_H
#define H5_H5_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define H5_ARRAY_DIMS    8
#define H5_ARRAY_MISSING 8
#define H5_ARRAY_FILTERS 8
#define H5_ARRAY_CHUNKS  ((size_t)4 << 20)

enum h5_array_kind { H5_ARRAY_SIGNED, H5_ARRAY_UNSIGNED, H5_ARRAY_FLOAT };

enum h5_array_storage {
    H5_ARRAY_PIECE,  /* all of it in one piece, in the file */
    H5_ARRAY_INSIDE, /* among HDF5's own records: `values` has it */
    H5_ARRAY_CHUNKED,
};

/* In the order in which they were applied. */
enum h5_array_filter { H5_ARRAY_DEFLATE, H5_ARRAY_SHUFFLE, H5_ARRAY_FLETCHER32 };

struct h5_chunk {
    uint64_t place;    /* of its first byte in the file */
    uint32_t bytes;    /* that are stored; 0: it was never written, and is the fill value */
    uint32_t left_out; /* bit f: filter f was not applied */
};

struct h5_array {
    enum h5_array_kind kind;
    size_t bytes; /* of a number: 1, 2, 4 or 8; floats are those of IEEE 754 */
    bool big_endian;
    size_t dims; /* 1 to H5_ARRAY_DIMS */
    size_t size[H5_ARRAY_DIMS];

    /* What NetCDF's conventions say (NetCDF User's Guide, "Attribute Conventions"; _Unsigned is in `kind`). */
    bool is_scaled; /* a number x stands for x * scale + offset */
    double scale, offset;
    size_t missing_count;
    double missing[H5_ARRAY_MISSING]; /* numbers, as they are stored, that stand for none */

    enum h5_array_storage storage;
    uint64_t place;  /* H5_ARRAY_PIECE: of its first byte in the file */
    uint8_t *values; /* H5_ARRAY_INSIDE: [count] bytes */

    /* H5_ARRAY_CHUNKED */
    size_t chunk[H5_ARRAY_DIMS]; /* numbers along each axis; the last chunks go beyond the end */
    size_t chunk_bytes;          /* without filters; below 2^32 */
    uint8_t fill[8];             /* the number of chunks that were never written, as it is stored */
    size_t filter_count;
    enum h5_array_filter filter[H5_ARRAY_FILTERS]; /* deflate once at most */
    size_t shuffled;                               /* bytes of what shuffle takes for a number */
    struct h5_chunk *chunks;                       /* [count], the last axis running fastest */
    size_t count;
};

/* Local. Accepts what is all 0. */
void h5_array_release(struct h5_array *array);

#endif
