#include "weights/npy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "\223NUMPY"
#define ALIGN 64

bool npy_measure(const uint8_t *bytes, size_t length, size_t *begin, size_t *end, struct error *error)
{
    if (length < 10 || memcmp(bytes, MAGIC, 6) != 0)
        return error_set(error, ERROR_CORRUPT, "it is no .npy file");
    size_t width = bytes[6] == 1 ? 2 : 4, header = 0;
    if (bytes[6] < 1 || bytes[6] > 3)
        return error_set(error, ERROR_CORRUPT, "version %d.%d of .npy is not known", bytes[6], bytes[7]);
    if (length < 8 + width)
        return error_set(error, ERROR_CORRUPT, "it ends too early");
    for (size_t b = 0; b < width; b++)
        header |= (size_t)bytes[8 + b] << 8 * b;
    if (header > NPY_HEADER_MOST)
        return error_set(error, ERROR_CORRUPT, "its .npy header is longer than %d bytes", NPY_HEADER_MOST);
    *begin = 8 + width;
    *end = *begin + header;
    return true;
}

/* ---- the dictionary ---- */

static const char *skip(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* Passes a character that must stand here; NULL stays NULL. */
static const char *pass(const char *at, char c)
{
    if (!at || *(at = skip(at)) != c)
        return NULL;
    return at + 1;
}

/* A text in quotes into `text`, cut if it does not fit. */
static const char *take_text(const char *at, char *text, size_t bytes)
{
    at = skip(at);
    char quote = *at;
    const char *end = quote == '\'' || quote == '"' ? strchr(at + 1, quote) : NULL;
    if (!end)
        return NULL;
    snprintf(text, bytes, "%.*s", (int)(end - at - 1), at + 1);
    return end + 1;
}

/* "(2, 3)", "(2,)", "()" */
static const char *take_shape(const char *at, struct npy *npy)
{
    at = pass(at, '(');
    while (at && *(at = skip(at)) != ')') {
        char *end;
        unsigned long long size = strtoull(at, &end, 10);
        if (!isdigit((unsigned char)*at) || size > SIZE_MAX / 2 || npy->dims == WEIGHTS_DIMS)
            return NULL;
        npy->shape[npy->dims++] = (size_t)size;
        at = skip(end);
        if (*at == ',')
            at++;
        else if (*at != ')')
            return NULL;
    }
    return at ? at + 1 : NULL;
}

static const char *take_truth(const char *at, bool *truth)
{
    at = skip(at);
    *truth = strncmp(at, "True", 4) == 0;
    if (!*truth && strncmp(at, "False", 5) != 0)
        return NULL;
    return at + (*truth ? 4 : 5);
}

/* "<f4": order of bytes, kind, bytes. A structured type is a list: of those nothing is known. */
static const char *take_type(const char *at, struct npy *npy)
{
    if (*skip(at) == '[') {
        snprintf(npy->type, sizeof npy->type, "a record");
        const char *end = strstr(at, "]");
        while (end && end[1] == ']')
            end++;
        return end ? end + 1 : NULL;
    }
    at = take_text(at, npy->type, sizeof npy->type);
    const char *type = npy->type, *kinds = "f?biuc";
    if (!at || !strchr("<>|=", type[0]) || !type[0] || !type[1] || !strchr(kinds, type[1]))
        return at;
    npy->bytes = (size_t)strtoul(type + 2, NULL, 10);
    npy->form.big_endian = type[0] == '>';
    if (type[1] == 'f')
        npy->form.type = npy->bytes == 2   ? FLOATS_F16
                         : npy->bytes == 4 ? FLOATS_F32
                         : npy->bytes == 8 ? FLOATS_F64
                                           : FLOATS_NONE;
    return at;
}

bool npy_parse(const char *text, size_t length, struct npy *npy, struct error *error)
{
    unsigned seen = 0;
    *npy = (struct npy){0};
    const char *at = strlen(text) == length ? pass(text, '{') : NULL;
    while (at && *(at = skip(at)) != '}') {
        char key[24];
        at = pass(take_text(at, key, sizeof key), ':');
        if (!at)
            break;
        if (strcmp(key, "descr") == 0 && !(seen & 1))
            seen |= 1, at = take_type(at, npy);
        else if (strcmp(key, "fortran_order") == 0 && !(seen & 2))
            seen |= 2, at = take_truth(at, &npy->fortran);
        else if (strcmp(key, "shape") == 0 && !(seen & 4))
            seen |= 4, at = take_shape(at, npy);
        else
            at = NULL;
        if (at && *(at = skip(at)) == ',')
            at++;
        else if (at && *at != '}')
            at = NULL;
    }
    return (at && seen == 7 && *skip(at + 1) == '\0') ||
           error_set(error, ERROR_CORRUPT, "its .npy header is not understood (at most %d dimensions are read)",
                     WEIGHTS_DIMS);
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
    text_append(bytes, "%s%c", MAGIC, 1);
    text_append(bytes, "%c%c%c%s", 0, (int)(header.length & 0xFF), (int)(header.length >> 8), header.bytes);
    text_release(&header);
}
