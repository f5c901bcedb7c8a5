/* Reading a checkpoint, by one process for itself: any part of any array, always checked against its digests. */
#ifndef CHECKPOINT_READER_H
#define CHECKPOINT_READER_H

#include "base/error.h"
#include "checkpoint/record.h"
#include "checkpoint/state.h"

#include <hdf5.h>

struct reader {
    char *path;
    hid_t file;
    bool sealed;          /* every byte outside the arrays was proven before HDF5 has opened the file */
    struct record record; /* belongs to the reader */
    size_t count;         /* P: floats of every array */
    size_t blocks;
    char *names[STATE_ARRAYS]; /* of the arrays, in the order of the fingerprint */
    size_t array_count;
    uint64_t *digests[STATE_ARRAYS]; /* [blocks] as stored; proven by the fingerprint */
};

/* Local. Opens a finished checkpoint: proves it by its seal, reads its record and proves its digests by the
 * fingerprint; the arrays' contents are proven when they are read. A file of the format versions 1 and 2 has no seal: a
 * damaged one can make HDF5 crash. ERROR_NOT_FOUND, ERROR_CORRUPT (no checkpoint, truncated, a broken seal, no commit
 * record, a part missing, digests that do not fit), ERROR_VERSION; the words begin with the path. */
bool reader_open(struct reader *reader, const char *path, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed or all-zero reader. */
void reader_close(struct reader *reader);

/* Local. Elements [first, first + count) of an array; first is a multiple of EXCHANGE_BLOCK, and the end one too or P.
 * ERROR_CORRUPT names the array and the block that fails its digest. */
bool reader_load(const struct reader *reader, size_t array, size_t first, size_t count, float *values,
                 struct error *error) WARN_UNUSED;

/* Local. Reads everything once: all arrays, and the views of all tensors. */
bool reader_verify(const struct reader *reader, struct error *error) WARN_UNUSED;

/* Local. The same for blocks [first, first + blocks) of every array: parts that together are all blocks prove what
 * reader_verify does. */
bool reader_verify_part(const struct reader *reader, size_t first, size_t blocks, struct error *error) WARN_UNUSED;

/* Local. Whether elements [first, first + count) of array `name` in any file, finished or not, have these digests (of
 * that range's blocks). For reading back what was just written. */
bool reader_compare(const char *path, const char *name, size_t first, size_t count, const uint64_t *digests,
                    struct error *error) WARN_UNUSED;

/* A tensor view in a file. */
struct reader_tensor {
    char path[512]; /* "/model/0.dense.weight", "/optimizer/adamw.m/0.dense.weight" */
    size_t dims;
    size_t shape[STATE_DIMS];
    size_t count;
};

/* Local. All tensor views, ordered by path. The caller owns *tensors (memory_free). */
bool reader_list_tensors(const struct reader *reader, struct reader_tensor **tensors, size_t *count,
                         struct error *error) WARN_UNUSED;

/* Local. A tensor's elements, row-major [tensor->count]. Not checked against digests: reader_verify does that. */
bool reader_load_tensor(const struct reader *reader, const struct reader_tensor *tensor, float *values,
                        struct error *error) WARN_UNUSED;

#endif
