/* The seal: the first 512 bytes of a checkpoint file, by which plain reads prove every byte of it that is not an
 * element of an array, before HDF5 looks at the file. HDF5 1.10 has no checksum on some of its tables (the sources of
 * the views, for one), and follows a damaged one into a crash, or round for ever.
 *
 * HDF5 leaves the beginning of a file to others if asked to (the "user block") and finds its own by itself, at 512
 * bytes or any larger power of two. Numbers are little-endian:
 *
 *     0  "lockstep seal 1\n"
 *    16  words for people who look into the file, then zeros
 *   128  uint64: bytes of the file
 *   136  uint64: count of the ranges, 1 to 16
 *   144  the ranges, each two uint64: offset and bytes; ascending, apart; then zeros
 *   504  uint64: XXH3 of all bytes of the file outside the ranges, in their order, these eight taken as zeros
 *
 * A range is an array of /state: its elements are proven by the digests of its blocks, which lie under the seal.
 * Outside the ranges are SEAL_OUTSIDE bytes at most, and the SEAL_PART-th part of those in them. This layout stays for
 * ever; what a new format version brings lies behind it. Files of the versions 1 and 2 have no seal and begin with
 * HDF5's signature. */
#ifndef CHECKPOINT_SEAL_H
#define CHECKPOINT_SEAL_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SEAL_BYTES   512
#define SEAL_RANGES  16
#define SEAL_OUTSIDE ((uint64_t)64 << 30) /* bytes: more than records, views, and gaps of the widest stripes */
#define SEAL_PART    1024                 /* the digests are half of that part of the arrays */

struct seal_range {
    uint64_t offset;
    uint64_t bytes;
};

struct seal {
    size_t count; /* 0: the file has no seal, and nothing is proven */
    struct seal_range ranges[SEAL_RANGES];
    uint64_t bytes; /* of the file */
};

/* Local. Seals a closed, complete file that has a user block of SEAL_BYTES or more, but does not sync it. `ranges` are
 * [count] in any order, apart from one another and from the user block. Whatever is written to the file afterwards, but
 * for the ranges' contents, breaks the seal. */
bool seal_write(const char *path, const struct seal_range *ranges, size_t count, struct error *error) WARN_UNUSED;

/* Local. Proves a file by its seal and tells the ranges that are left to prove; or finds that it is of a version
 * without. The file stays open for reading as *descriptor: what is read there is what was proven. -1 after failure:
 * ERROR_NOT_FOUND; ERROR_CORRUPT: it begins like no checkpoint, was truncated, extended, or is damaged outside the
 * ranges; ERROR_IO. The words begin with the path. */
bool seal_open(const char *path, struct seal *seal, int *descriptor, struct error *error) WARN_UNUSED;

/* Local. Only opens it, as what it may be: nothing is proven, and count is 0. *descriptor and errors as seal_open. */
bool seal_open_unproven(const char *path, struct seal *seal, int *descriptor, struct error *error) WARN_UNUSED;

/* Local. Whether lockstep has written this file, valid or not. In doubt it is not ours: if it cannot be read, or is
 * damaged in its first 16 bytes. HDF5 is called only for a file that begins with HDF5's signature, as those of the
 * versions 1 and 2 do, and by another process. */
bool seal_is_ours(const char *path);

#endif
