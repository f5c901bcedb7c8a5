/* A file that all ranks write at the same time, each with MPI-IO for itself. */
#ifndef CHECKPOINT_SHARED_FILE_H
#define CHECKPOINT_SHARED_FILE_H

#include "checkpoint/store.h"

#include <hdf5.h>

/* Local. Opens the file `path` in the store, which has to be there, with MPI-IO and HDF5, for this rank alone, with the
 * store's striping. Plain calls look at it before, since they have words for what is wrong, and after, whether what
 * MPI-IO has opened by its name is that file. */
bool shared_file_open(const struct store *store, const char *path, hid_t *file, struct error *error) WARN_UNUSED;

#endif
