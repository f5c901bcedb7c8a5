/* One dataset of many HDF5 files, one behind the other, as one array. */
#ifndef DATA_HDF5_JOINED_H
#define DATA_HDF5_JOINED_H

#include "data/dataset.h"
#include "data/hdf5_file.h"

struct hdf5_joined {
    const struct hdf5_file *files; /* [file_count]; borrowed */
    size_t file_count, which;      /* of HDF5_ARRAYS */
    char *name;
    struct chunk_cache cache; /* of those that are in chunks; no bands: none is */
};

/* Local. path: of all of them, for messages. Sets *array, which is read through it. Release accepts what is all 0;
 * after failure it is wanted too. */
bool hdf5_joined_init(struct hdf5_joined *joined, struct hdf5_file *files, size_t count, size_t which, const char *path,
                      const char *name, struct array *array, struct error *error) WARN_UNUSED;
void hdf5_joined_release(struct hdf5_joined *joined);

/* Local. The row behind those that are in one band with this one; 0: it is in none. */
size_t hdf5_joined_chunk_end(const struct hdf5_joined *joined, size_t row);

/* Local. A digest of how its chunks lie, in which files, and what their bytes mean. */
uint64_t hdf5_joined_layout(const struct hdf5_joined *joined);

/* Local. Places for bands that readers want to share, so that each band has to be unpacked once for a window. chunks:
 * those that the order keeps to, whose samples count from row `first` on. */
size_t hdf5_joined_slots(const struct hdf5_joined *joined, const struct chunks *chunks, size_t first,
                         const struct dataset_readers *readers);

#endif
