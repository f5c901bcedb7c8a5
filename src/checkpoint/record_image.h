/* The image of a record: as plain bytes, which are read without HDF5. In a checkpoint file it lies behind the seal, at
 * RECORD_IMAGE_AT, and says where the floats are; it also goes along with copies on the nodes, and is what a process
 * that may crash over an old file hands out (contained.h). Little-endian; all that varies begins at a multiple of 8:
 *
 *     0  "lockstep record\n"
 *    16  uint64: bytes of the image
 *    24  uint64: version of the format, RECORD_VERSION
 *    32  uint64: 1, if the file was finished; else 0
 *    40  uint64: fingerprint
 *    48  the fields, in the order of record_fields: 8 bytes each; of a text: uint64 length, the bytes, and 1 to 8 zeros
 *        the tables, in the order of record_tables: uint64 rows, and their fields in the same way
 *        uint64 P, uint64 arrays; of each: its name as a text, uint64 offsets of its floats and of its digests
 *        uint64 tensors; of each: its name as a text, uint64 dims, uint64[5] shape (before version 5:
 *        uint64[4]), uint64 offset in every array
 *
 * Nothing in it is believed: what cannot be is ERROR_CORRUPT, and what is allocated is in proportion to its bytes. */
#ifndef CHECKPOINT_RECORD_IMAGE_H
#define CHECKPOINT_RECORD_IMAGE_H

#include "checkpoint/record.h"
#include "checkpoint/seal.h"

#define RECORD_IMAGE_AT   SEAL_BYTES
#define RECORD_IMAGE_HEAD 48                /* bytes: those that have the length */
#define RECORD_IMAGE_MOST ((size_t)1 << 26) /* bytes: more than any job has, less than hurts */

struct record_array {
    const char *name;
    uint64_t offset;  /* of its floats in the file */
    uint64_t digests; /* offset of theirs */
};

/* Where the floats of a file are, and what they are called. */
struct record_layout {
    size_t count; /* P */
    size_t array_count;
    struct record_array arrays[STATE_ARRAYS];
    const struct state_tensor *tensors;
    size_t tensor_count;
    void *owned[2]; /* what was read: the names, the tensors; else NULL, and all is borrowed */
};

/* Local. That of a state, borrowed, its offsets still 0. */
void record_layout_init(struct record_layout *layout, const struct state *state);

/* Local. Accepts a released one, and one that owns nothing. */
void record_layout_release(struct record_layout *layout);

/* Local. The image of a record, finished with its fingerprint, or not yet. layout NULL: of no file. The caller owns
 * *image (memory_free). Its length does not depend on the values of numbers. */
void record_image_make(const struct record *record, bool finished, const struct record_layout *layout, char **image,
                       size_t *bytes);

/* Local. Whether these RECORD_IMAGE_HEAD bytes are the beginning of an image; *bytes: of all of it, not believed. */
bool record_image_begins(const void *head, uint64_t *bytes);

/* Local. The record of an image, checked (record_check); *finished as it says. layout NULL: it must be of no file; else
 * that of one of `file_bytes`, all of whose places are inside. Takes the image over (memory_free), also after failure.
 * ERROR_VERSION: a newer one than RECORD_VERSION, or, of a file, an older one than RECORD_PLAIN unless `old`.
 * ERROR_CORRUPT. Nothing stays after failure. */
bool record_image_parse(char *image, size_t bytes, bool old, uint64_t file_bytes, struct record *record,
                        struct record_layout *layout, bool *finished, struct error *error) WARN_UNUSED;

/* Local. Writes an image into a closed file, whose user block has room for it. */
bool record_image_write(const char *path, const char *image, size_t bytes, struct error *error) WARN_UNUSED;

/* Local. The commit: that of a file is finished, with this fingerprint. */
bool record_image_finish(const char *path, uint64_t fingerprint, struct error *error) WARN_UNUSED;

#endif
