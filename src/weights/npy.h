/* A .npy file as a tensor: what its header (base/npy_header.h) says of it. */
#ifndef WEIGHTS_NPY_H
#define WEIGHTS_NPY_H

#include "base/npy_header.h"
#include "base/text.h"
#include "weights/weights.h"

#define NPY_HEADER_MOST 65536 /* bytes; what NumPy writes for an array of numbers has 118 */

struct npy {
    struct npy_header header; /* of at most WEIGHTS_DIMS dimensions */
    size_t bytes;             /* of an element; 0: unknown */
    struct floats_form form;
};

/* Local. From the first `length` <= NPY_PREFIX bytes: where the dictionary begins and where it ends, which is where the
 * values begin. ERROR_CORRUPT. */
bool npy_measure(const uint8_t *bytes, size_t length, size_t *begin, size_t *end, struct error *error) WARN_UNUSED;

/* Local. Reads the dictionary. ERROR_CORRUPT. */
bool npy_parse(const char *text, size_t length, struct npy *npy, struct error *error) WARN_UNUSED;

/* Local. Appends what stands before the values of a float32 array: a multiple of 64 bytes. */
void npy_write(size_t dims, const size_t *shape, struct text *bytes);

#endif
