#include "weights/npy.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN 64

bool npy_measure(const uint8_t *bytes, size_t length, size_t *begin, size_t *end, struct error *error)
{
    if (length < NPY_MAGIC_BYTES + 2 || !npy_header_begins(bytes, length))
        return error_set(error, ERROR_CORRUPT, "it is no .npy file");
    if (!npy_header_locate(bytes, length, begin, end))
        return error_set(error, ERROR_CORRUPT, "version %d.%d of .npy is not known", bytes[6], bytes[7]);
    if (length < *begin)
        return error_set(error, ERROR_CORRUPT, "it ends too early");
    return *end - *begin <= NPY_HEADER_MOST ||
           error_set(error, ERROR_CORRUPT, "its .npy header is longer than %d bytes", NPY_HEADER_MOST);
}

/* "<f4": order of bytes, kind, bytes. */
static void find_form(struct npy *npy)
{
    const char *type = npy->header.type, *kinds = "f?biuc";
    if (npy->header.record || !type[0] || !strchr("<>|=", type[0]) || !type[1] || !strchr(kinds, type[1]))
        return;
    npy->bytes = (size_t)strtoul(type + 2, NULL, 10);
    npy->form.big_endian = type[0] == '>';
    if (type[1] == 'f')
        npy->form.type = npy->bytes == 2   ? FLOATS_F16
                         : npy->bytes == 4 ? FLOATS_F32
                         : npy->bytes == 8 ? FLOATS_F64
                                           : FLOATS_NONE;
}

_Static_assert(WEIGHTS_DIMS <= NPY_DIMS, "a header has room for the shape of every tensor");

bool npy_parse(const char *text, size_t length, struct npy *npy, struct error *error)
{
    *npy = (struct npy){0};
    if (!npy_header_parse(text, length, &npy->header) || npy->header.dims > WEIGHTS_DIMS)
        return error_set(error, ERROR_CORRUPT, "its .npy header is not understood (at most %d dimensions are read)",
                         WEIGHTS_DIMS);
    find_form(npy);
    return true;
}

void npy_write(size_t dims, const size_t *shape, struct text *bytes)
{
    struct text header;
    text_init(&header);
    text_append(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (size_t d = 0; d < dims; d++)
        text_append(&header, "%zu,%s", shape[d], d + 1 < dims ? " " : "");
    text_append(&header, "), }");
    while ((10 + header.length + 1) % ALIGN != 0)
        text_append(&header, " ");
    text_append(&header, "\n");
    text_append(bytes, "%s%c", NPY_MAGIC, 1);
    text_append(bytes, "%c%c%c%s", 0, (int)(header.length & 0xFF), (int)(header.length >> 8), header.bytes);
    text_release(&header);
}
