/* One IDX file: a big-endian magic number (two zero bytes, the element type, the number of dimensions), one 32-bit size
 * per dimension, then the elements in row-major order, big-endian. Specification: Y. LeCun, C. Cortes, C. Burges, "The
 * MNIST database of handwritten digits", section "File formats". */
#ifndef DATA_IDX_FILE_H
#define DATA_IDX_FILE_H

#include "data/array.h"

/* Local. Places the array that these bytes are, an ARRAY_SHARE where they are unsigned bytes of inputs; they stay where
 * they are. Errors name the file, and tell labels that are given for images. */
bool idx_file_inputs(struct array *array, const char *name, const uint8_t *bytes, size_t count,
                     struct error *error) WARN_UNUSED;
bool idx_file_targets(struct array *array, const char *name, const uint8_t *bytes, size_t count,
                      struct error *error) WARN_UNUSED;

#endif
