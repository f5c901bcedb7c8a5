/* A new HDF5 file with one dataset of floats in one piece: so whoever has them writes them there, a few at a time, as
 * into any other file. */
#ifndef H5_H5_FLOATS_H
#define H5_H5_FLOATS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define H5_FLOATS_DIMS 4 /* at most */

/* What the file says about them. */
struct h5_floats {
    const char *name; /* of the dataset */
    size_t dims;
    size_t size[H5_FLOATS_DIMS]; /* all above 0 */
    const char *attribute;       /* of the dataset: a list of texts in UTF-8; NULL: there is none */
    const char *const *texts;    /* [text_count] */
    size_t text_count;           /* above 0 */
};

/* Local. Writes all but the values into the empty file that is open as `descriptor`: their place is *offset, counted
 * from its first byte, as float32, little-endian and row-major; until then they are zeros. The file is whole once the
 * last of them is written. The words begin with the path. */
bool h5_floats_write(int descriptor, const char *path, const struct h5_floats *floats, uint64_t *offset,
                     struct error *error) WARN_UNUSED;

#endif
