/* HDF5 with words: the few calls that everybody needs who reads or writes it, and its errors as ours. */
#ifndef H5_H5_H
#define H5_H5_H

#include "base/error.h"
#include "base/text.h"

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

/* Local. Stops HDF5 from printing its error stack, and from any clean-up of its own at exit. Call once before anything
 * else; h5_release before MPI_Finalize. */
void h5_init(void);
void h5_release(void);

/* Local. Appends "HDF5 1.10.8, parallel, not thread-safe". False: it is not parallel. */
bool h5_describe(struct text *words);

/* Local. Error of the given kind with the given words, and the deepest reason on HDF5's error stack behind them.
 * ERROR_CORRUPT becomes ERROR_IO if the reason is a system call that was refused (no descriptors, no memory, a lock, a
 * bad line to the server): that says nothing about the file. */
bool h5_error(struct error *error, enum error_kind kind, const char *format, ...) FORMAT(3, 4);

/* Local. Opens the very file that is open as `descriptor`, whatever its path leads to by now, with the POSIX driver,
 * for this process alone; the descriptor stays the caller's. The one way to open a file that is there, but for MPI-IO
 * (shared_file.h). `flags` as H5Fopen. Errors as those of h5_error with ERROR_CORRUPT; ERROR_IO if the file has lost
 * its last name, without which HDF5 opens none. The words begin with the path. */
bool h5_open(int descriptor, const char *path, unsigned flags, hid_t *file, struct error *error) WARN_UNUSED;

/* Local. The file format bounds of all our files: object headers with checksums (1.8), virtual datasets (1.10). */
bool h5_set_format(hid_t access);

/* Local. Closes any HDF5 object; negative ids are fine. Keeps the error stack, so that the reason of an earlier failure
 * can still be told. For what may fail with data at stake use H5Fclose itself. */
void h5_close(hid_t object);

/* How the values of a dataset lie. */
enum h5_place {
    H5_VALUES, /* in the file, somehow */
    H5_ROW,    /* in the file, in one piece */
    H5_VIEW,   /* nowhere: a virtual dataset; of what, is to be looked at before it is read */
};

/* Local. Opens a dataset of a file that somebody else may have written; the one way to do so. It is reached by hard
 * links only, its values lie in this very file (not in external storage or in other files), and as many as it claims
 * can be there. ERROR_CORRUPT names it; *dataset is -1 then. */
bool h5_open_inside(hid_t file, const char *path, enum h5_place place, hid_t *dataset, struct error *error) WARN_UNUSED;

/* Local. The same for a group; *members: links in it. */
bool h5_open_group(hid_t file, const char *path, hid_t *group, hsize_t *members, struct error *error) WARN_UNUSED;

/* Local. Attributes of an object. Readers: ERROR_CORRUPT that names the attribute if it is missing or of another type.
 * h5_get_text returns owned text (memory_free). */
bool h5_put_number(hid_t object, const char *name, uint64_t value, struct error *error) WARN_UNUSED;
bool h5_put_real(hid_t object, const char *name, double value, struct error *error) WARN_UNUSED;
bool h5_put_text(hid_t object, const char *name, const char *value, struct error *error) WARN_UNUSED;
bool h5_get_number(hid_t object, const char *name, uint64_t *value, struct error *error) WARN_UNUSED;
bool h5_get_real(hid_t object, const char *name, double *value, struct error *error) WARN_UNUSED;
bool h5_get_text(hid_t object, const char *name, char **value, struct error *error) WARN_UNUSED;

/* Local. Reads or writes `count` elements from `first` of a one-dimensional dataset. `transfer` as H5Dwrite (or
 * H5P_DEFAULT). count 0 does nothing, count may be any size. */
bool h5_write_range(hid_t dataset, hid_t type, size_t first, size_t count, hid_t transfer,
                    const void *values) WARN_UNUSED;
bool h5_read_range(hid_t dataset, hid_t type, size_t first, size_t count, void *values) WARN_UNUSED;

/* Local. Where a contiguous dataset lies in its file, counted from the first byte, user block included. ERROR_CORRUPT
 * names the dataset if it cannot be opened (h5_open_inside) or has no single place. */
bool h5_place(hid_t file, const char *path, uint64_t *offset, uint64_t *bytes, struct error *error) WARN_UNUSED;

/* Local. Tables: rows of a compound `type`, which is closed. No dataset if there are none. In one chunk with a
 * checksum. */
bool h5_write_rows(hid_t file, const char *name, hid_t type, size_t rows, const void *values,
                   struct error *error) WARN_UNUSED;

/* Local. The caller owns *values, [*rows] of row_bytes; members that the file does not have are zero. `type` is closed.
 * ERROR_CORRUPT. */
bool h5_read_rows(hid_t file, const char *name, hid_t type, size_t row_bytes, void **values, size_t *rows,
                  struct error *error) WARN_UNUSED;

#endif
