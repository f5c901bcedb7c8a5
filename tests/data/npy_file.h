/* Files of NumPy's in the making, for tests. */
#ifndef DATA_NPY_FILE_H
#define DATA_NPY_FILE_H

#include <stddef.h>
#include <stdint.h>

#define NPY_FILE_ROOM 4096

struct npy_file {
    uint8_t bytes[NPY_FILE_ROOM];
    size_t count;
};

/* Local. A .npy file: the dictionary as it is given ("{'descr': ..."), padded as NumPy does, and the values. */
void npy_file_make(struct npy_file *file, int version, const char *dictionary, const void *values, size_t bytes);

/* Local. The same with the dictionary of a type and a shape: "<f4", "(2, 3)". */
void npy_file_array(struct npy_file *file, const char *type, const char *shape, const void *values, size_t bytes);

void npy_file_write(const char *path, const void *bytes, size_t count);

#endif
