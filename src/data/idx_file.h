/* One IDX file: a big-endian magic number (two zero bytes, the element type, the number of dimensions), one 32-bit size
 * per dimension, then the elements in row-major order. Specification: Y. LeCun, C. Cortes, C. Burges, "The MNIST
 * database of handwritten digits", section "File formats". */
#ifndef DATA_IDX_FILE_H
#define DATA_IDX_FILE_H

#include "base/error.h"
#include "data/content.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IDX_DIMENSIONS 4 /* the most that is read: count, channels, height, width */

/* What a file is for, and so which magic numbers it may have. */
enum idx_kind {
    IDX_IMAGES, /* [N, F], [N, height, width] or [N, channels, height, width] */
    IDX_LABELS, /* [N]; of floats also [N, K] */
};

struct idx_file {
    size_t size[IDX_DIMENSIONS]; /* all above 0; [0]: samples */
    size_t dimensions;
    size_t width;            /* elements of a sample: the product of size[1], size[2]... */
    bool floats;             /* elements are big-endian float32 (type 0x0D); else unsigned bytes (0x08) */
    size_t element_bytes;    /* 4 or 1 */
    const uint8_t *elements; /* [size[0], width], aligned to nothing */
    struct content content;
};

/* Local. Opens a plain file, or one that gzip made, whatever its name. What holds afterwards: the file is exactly as
 * long as its header says. A plain file is mapped: whoever reads its elements does so under guard_run (base/guard.h).
 * Nothing stays after failure. */
bool idx_file_open(struct idx_file *file, enum idx_kind kind, const char *path, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed file. */
void idx_file_close(struct idx_file *file);

/* Local. The number at `b`, most significant byte first. */
static inline uint32_t idx_big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline float idx_float(const uint8_t *b)
{
    uint32_t bits = idx_big_endian(b);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
