#include "data/npy_file.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

void npy_file_make(struct npy_file *file, int version, const char *dictionary, const void *values, size_t bytes)
{
    size_t width = version == 1 ? 2 : 4, begin = 8 + width, length = strlen(dictionary) + 1;
    while ((begin + length) % 64)
        length++;
    CU_ASSERT_FATAL(begin + length + bytes <= NPY_FILE_ROOM);
    memset(file, 0, sizeof *file);
    memcpy(file->bytes, "\223NUMPY", 6);
    file->bytes[6] = (uint8_t)version;
    for (size_t b = 0; b < width; b++)
        file->bytes[8 + b] = (uint8_t)(length >> 8 * b);
    memset(file->bytes + begin, ' ', length);
    memcpy(file->bytes + begin, dictionary, strlen(dictionary));
    file->bytes[begin + length - 1] = '\n';
    memcpy(file->bytes + begin + length, values, bytes);
    file->count = begin + length + bytes;
}

void npy_file_array(struct npy_file *file, const char *type, const char *shape, const void *values, size_t bytes)
{
    char dictionary[256];
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    npy_file_make(file, 1, dictionary, values, bytes);
}

void npy_file_write(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}
