/* A .npy file as an array: a header (base/npy_header.h), and behind it the numbers. */
#ifndef DATA_NPY_ARRAY_H
#define DATA_NPY_ARRAY_H

#include "data/array.h"

/* Local. Fills `array`, whose elements then lie in the `count` bytes of the file; `name` for messages, and the array's,
 * borrowed. ERROR_CORRUPT: it is none, or not whole. ERROR_USAGE: it is one, but not of numbers in rows. Holds nothing:
 * for use in guarded work. */
bool npy_array_read(struct array *array, const char *name, const uint8_t *bytes, size_t count,
                    struct error *error) WARN_UNUSED;

#endif
