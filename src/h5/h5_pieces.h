/* A new HDF5 file whose datasets of numbers each lie in one piece: so whoever has the numbers writes them there, a few
 * at a time, as into any other file. */
#ifndef H5_H5_PIECES_H
#define H5_H5_PIECES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define H5_PIECE_DIMS 8 /* at most */

/* As they lie there: little-endian. */
enum h5_piece_type { H5_PIECE_FLOAT32, H5_PIECE_UINT8, H5_PIECE_UINT16, H5_PIECE_INT32, H5_PIECE_TYPES };

/* What the file says about one dataset. */
struct h5_piece {
    const char *name;
    enum h5_piece_type type;
    size_t dims;
    size_t size[H5_PIECE_DIMS]; /* all above 0 */
    double scale;               /* its attribute scale_factor, as NetCDF has it; 0: none */
    const char *attribute;      /* of the dataset: a list of texts in UTF-8; NULL: there is none */
    const char *const *texts;   /* [text_count] */
    size_t text_count;          /* above 0 */
};

/* Local. Of a number; "uint8". */
size_t h5_piece_bytes(enum h5_piece_type type);
const char *h5_piece_name(enum h5_piece_type type);

/* Local. Of all its numbers. */
uint64_t h5_piece_length(const struct h5_piece *piece);

/* Local. Writes all but the values into the empty file that is open as `descriptor`: the place of those of piece i is
 * offsets[i], counted from the first byte, little-endian and row-major; until then they are zeros. The file is whole
 * once the last of them is written. The words begin with the path. */
bool h5_pieces_write(int descriptor, const char *path, const struct h5_piece *pieces, size_t count, uint64_t *offsets,
                     struct error *error) WARN_UNUSED;

#endif
