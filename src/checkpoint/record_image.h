/* A record as bytes in memory: what goes along with a copy that is no checkpoint file. It is the image of a small HDF5
 * file, so that it holds whatever a checkpoint's record holds. */
#ifndef CHECKPOINT_RECORD_IMAGE_H
#define CHECKPOINT_RECORD_IMAGE_H

#include "checkpoint/record.h"

/* Local. Makes it by way of a file at `path`, which is gone afterwards. (HDF5 1.10 gives the image of a file in memory
 * that is still open with a wrong checksum.) The caller owns *image (memory_free). */
bool record_image_make(const struct record *record, uint64_t fingerprint, const char *path, char **image, size_t *bytes,
                       struct error *error) WARN_UNUSED;

/* Local. Errors as record_read. The record is the caller's (record_release). */
bool record_image_read(const void *image, size_t bytes, struct record *record, struct error *error) WARN_UNUSED;

#endif
