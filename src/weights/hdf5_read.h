/* The datasets of an HDF5 file that a stranger has made, as tensors: of a file on disk, or of one in memory that came
 * out of an archive. Everything is rehearsed in a process of its own first (h5/contained.h). */
#ifndef WEIGHTS_HDF5_READ_H
#define WEIGHTS_HDF5_READ_H

#include "weights/weights.h"

#include <hdf5.h>

/* What of it counts. */
struct hdf5_view {
    const char *prefix; /* of the paths of the tensors, not part of their names; "": all */
    bool has_digests;   /* of their values */
    /* Local. Reads what else is to be known. NULL: nothing. */
    bool (*read_about)(hid_t root, struct weights *weights, struct error *error);
};

/* Local. The `open` of a format: file->self is this module's from now on. */
bool hdf5_read_open(struct weights_file *file, const struct hdf5_view *view, struct error *error) WARN_UNUSED;

/* Local. The same of a file in memory, which is taken over (memory_free), also after failure. */
bool hdf5_read_open_bytes(struct weights_file *file, const struct hdf5_view *view, char *bytes, uint64_t count,
                          struct error *error) WARN_UNUSED;

/* Local. The `close` and the `load` of a format. */
void hdf5_read_close(struct weights_file *file);
bool hdf5_read_load(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                    struct error *error) WARN_UNUSED;

#endif
