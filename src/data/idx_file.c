#include "data/idx_file.h"

#include "data/content.h"

#include <inttypes.h>

#define MAGIC_BYTES 4
#define SIZE_BYTES  4

/* By the third byte of the magic number. */
static const enum array_type types[] = {
    [0x08] = ARRAY_U8,  [0x09] = ARRAY_I8,  [0x0B] = ARRAY_I16,
    [0x0C] = ARRAY_I32, [0x0D] = ARRAY_F32, [0x0E] = ARRAY_F64,
};

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Type and number of dimensions, as the magic number says. */
static bool parse_magic(struct array *array, const uint8_t *bytes, size_t count, struct error *error)
{
    uint32_t magic = big_endian(bytes), type = magic >> 8;
    *array = (struct array){.name = array->name, .big_endian = true, .dims = magic & 0xff};
    if (type < sizeof types / sizeof *types)
        array->type = types[type];
    if (array->type != ARRAY_NONE && array->dims >= 1 && array->dims <= ARRAY_DIMS)
        return true;
    const char *known = content_seems(array->name, bytes, count);
    return error_set(error, ERROR_CORRUPT,
                     "%s is not an IDX file that is read: its magic is 0x%08" PRIx32 ", expected 0x000008 (bytes), "
                     "0x000009, 0x00000b, 0x00000c (integers), 0x00000d or 0x00000e (floats), and behind it the number "
                     "of dimensions, 01 to %02d%s%s",
                     array->name, magic, ARRAY_DIMS, known ? "; it is " : "", known ? known : "");
}

static bool parse(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error)
{
    size_t header = MAGIC_BYTES;
    array->name = name;
    if (count >= header) {
        if (!parse_magic(array, bytes, count, error))
            return false;
        header += array->dims * SIZE_BYTES;
    }
    if (count < header)
        return error_set(error, ERROR_CORRUPT, "%s is truncated in its header: %zu bytes expected, %zu there", name,
                         header, count);
    for (size_t i = 0; i < array->dims; i++)
        array->size[i] = big_endian(bytes + MAGIC_BYTES + i * SIZE_BYTES);
    return array_place(array, bytes + header, count - header, error);
}

bool idx_file_inputs(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error)
{
    if (!parse(array, name, bytes, count, error))
        return false;
    if (array->dims == 1)
        return error_set(error, ERROR_CORRUPT,
                         "%s holds labels (magic 0x%08" PRIx32
                         "), not images: are the paths of images and labels swapped?",
                         name, big_endian(bytes));
    if (array->type == ARRAY_U8)
        array->type = ARRAY_SHARE;
    return true;
}

bool idx_file_targets(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error)
{
    return parse(array, name, bytes, count, error);
}
