/* The header of a .npy file (NumPy's documentation, "numpy.lib.format"): magic, version, length, and a dictionary as
 * Python writes it, {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }; behind it the numbers. */
#ifndef BASE_NPY_HEADER_H
#define BASE_NPY_HEADER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define NPY_MAGIC       "\223NUMPY"
#define NPY_MAGIC_BYTES 6
#define NPY_PREFIX      12 /* bytes that tell where the dictionary lies, at most */
#define NPY_DIMS        8  /* sizes that are kept, at most */

struct npy_header {
    char type[24]; /* "<f4": order of bytes, letter, bytes; "a record": a structured type. Cut if it does not fit */
    bool record;
    bool fortran;
    size_t dims; /* as counted, also beyond NPY_DIMS */
    size_t size[NPY_DIMS];
};

/* Local. Whether the bytes begin with the magic. */
bool npy_header_begins(const uint8_t *bytes, size_t count);

/* Local. Of bytes that do, where the dictionary begins and ends, which may be behind them; NPY_PREFIX are enough.
 * false: their version is none of 1 to 3. */
bool npy_header_locate(const uint8_t *bytes, size_t count, size_t *begin, size_t *end);

/* Local. Reads the dictionary; false: it is not what NumPy writes. Holds nothing: for use in guarded work. */
bool npy_header_parse(const void *dictionary, size_t length, struct npy_header *header) WARN_UNUSED;

#endif
