/* The header of a .npy file (NumPy's documentation, "numpy.lib.format"): magic, version, length, and a dictionary as
 * Python writes it: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }. */
#ifndef WEIGHTS_NPY_H
#define WEIGHTS_NPY_H

#include "base/text.h"
#include "weights/weights.h"

#define NPY_PREFIX      12    /* bytes at the beginning that tell the length of the header, at most */
#define NPY_HEADER_MOST 65536 /* bytes; what NumPy writes for an array of numbers has 118 */

struct npy {
    size_t bytes; /* of an element; 0: unknown */
    struct floats_form form;
    char type[24];
    bool fortran;
    size_t dims;
    size_t shape[WEIGHTS_DIMS];
};

/* Local. From the first `length` <= NPY_PREFIX bytes: where the dictionary begins and where it ends, which is where the
 * values begin. ERROR_CORRUPT. */
bool npy_measure(const uint8_t *bytes, size_t length, size_t *begin, size_t *end, struct error *error) WARN_UNUSED;

/* Local. Reads the dictionary, `length` bytes with a NUL behind them. ERROR_CORRUPT. */
bool npy_parse(const char *text, size_t length, struct npy *npy, struct error *error) WARN_UNUSED;

/* Local. Appends what stands before the values of a float32 array: a multiple of 64 bytes. */
void npy_write(size_t dims, const size_t *shape, struct text *bytes);

#endif
