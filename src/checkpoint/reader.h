/* Reading a checkpoint, by one process for itself: any part of any array, always checked against its digests. All that
 * is read is read with plain calls from the places that the image of the record tells (record_image.h); HDF5 is not
 * asked, and a file that deceives HDF5 deceives nobody here. For files of the versions 1 to 3, which have no image, a
 * process of its own makes one by HDF5 (contained.h). */
#ifndef CHECKPOINT_READER_H
#define CHECKPOINT_READER_H

#include "base/error.h"
#include "checkpoint/record.h"
#include "checkpoint/record_image.h"
#include "checkpoint/state.h"

struct reader {
    char *path; /* NULL: closed */
    int descriptor;
    bool sealed;          /* every byte outside the arrays was proven before anything was read */
    uint64_t weight;      /* bytes outside the arrays; of a file without a seal all */
    struct record record; /* belongs to the reader */
    struct record_layout layout;
    size_t count; /* P: floats of every array */
    size_t blocks;
    const char *names[STATE_ARRAYS]; /* of the arrays, in the order of the fingerprint */
    size_t array_count;
    uint64_t *digests[STATE_ARRAYS]; /* [blocks] as stored; proven by the fingerprint */
};

/* Local. Opens a finished checkpoint: proves it by its seal, reads its record and proves its digests by the
 * fingerprint; the arrays' contents are proven when they are read. A file of the format versions 1 and 2 has no seal.
 * ERROR_NOT_FOUND, ERROR_CORRUPT (no checkpoint, truncated, a broken seal, no commit record, a part missing, digests
 * that do not fit, numbers that cannot be), ERROR_VERSION; the words begin with the path. HDF5 must be ready (h5_init)
 * for older versions. */
bool reader_open(struct reader *reader, const char *path, struct error *error) WARN_UNUSED;

/* Local. Opens a file that is being written, from its layout on: with record and places, without digests, and nothing
 * proven. For reader_compare only. */
bool reader_open_unfinished(struct reader *reader, const char *path, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed or all-zero reader. */
void reader_close(struct reader *reader);

/* Local. Elements [first, first + count) of an array; first is a multiple of EXCHANGE_BLOCK, and the end one too or P.
 * ERROR_CORRUPT names the array and the block that fails its digest. */
bool reader_load(const struct reader *reader, size_t array, size_t first, size_t count, float *values,
                 struct error *error) WARN_UNUSED;

/* Local. Reads all arrays once. */
bool reader_verify(const struct reader *reader, struct error *error) WARN_UNUSED;

/* Local. The same for blocks [first, first + blocks) of every array: parts that together are all blocks prove what
 * reader_verify does. */
bool reader_verify_part(const struct reader *reader, size_t first, size_t blocks, struct error *error) WARN_UNUSED;

/* Local. Whether other programs find by HDF5 what is read here: attributes, tables and arrays are those of the record,
 * every tensor has its view of every array, and there is nothing else. A process of its own looks. ERROR_CORRUPT. */
bool reader_prove_views(const struct reader *reader, struct error *error) WARN_UNUSED;

/* Local. Whether elements [first, first + count) of an array, finished or not, have these digests (of that range's
 * blocks). For reading back what was just written. */
bool reader_compare(const struct reader *reader, size_t array, size_t first, size_t count, const uint64_t *digests,
                    struct error *error) WARN_UNUSED;

/* A tensor view in a file. */
struct reader_tensor {
    const char *path; /* "/model/0.dense.weight", "/optimizer/adamw.m/0.dense.weight"; lies behind the list */
    size_t dims;
    size_t shape[STATE_DIMS];
    size_t count;
    uint64_t offset; /* of its floats in the file */
};

/* Local. All tensor views, ordered by path. The caller owns *tensors (memory_free), the paths with it. */
bool reader_list_tensors(const struct reader *reader, struct reader_tensor **tensors, size_t *count,
                         struct error *error) WARN_UNUSED;

/* Local. A tensor's elements, row-major [tensor->count]. Not checked against digests: reader_verify does that. */
bool reader_load_tensor(const struct reader *reader, const struct reader_tensor *tensor, float *values,
                        struct error *error) WARN_UNUSED;

#endif
