/* An HDF5 file with a dataset of inputs and one of targets: what it is was found out by a process of its own
 * (h5/h5_look.h), here it is bytes and places. */
#ifndef DATA_HDF5_FILE_H
#define DATA_HDF5_FILE_H

#include "data/array.h"
#include "data/chunk_cache.h"
#include "data/content.h"

#define HDF5_ARRAYS 2 /* x and y */

struct hdf5_dataset {
    struct array array; /* placed, but for one in chunks */
    struct h5_array about;
    struct chunked chunked; /* if about.storage is H5_ARRAY_CHUNKED */
    size_t first;           /* the row of all files that is its first */
};

struct hdf5_file {
    struct content content;
    struct hdf5_dataset dataset[HDF5_ARRAYS];
};

/* Local. Whether it is one, by its signature: that may stand behind a user block. */
bool hdf5_file_knows(const uint8_t *bytes, size_t count);

/* Local. table: as content_open. names: of the datasets; the second one NULL: there are inputs alone. What holds
 * afterwards: both have as many rows. Errors name the file. After failure the file may hold something: close it. Close
 * accepts what is all 0. */
bool hdf5_file_open(struct hdf5_file *file, const char *path, const char *const names[HDF5_ARRAYS],
                    const struct inflated_table *table, struct error *error) WARN_UNUSED;
void hdf5_file_close(struct hdf5_file *file);

#endif
