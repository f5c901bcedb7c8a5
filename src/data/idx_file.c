#include "data/idx_file.h"

#include <inttypes.h>

#define MAGIC_BYTES 4
#define SIZE_BYTES  4
#define TYPE_BYTE   0x08
#define TYPE_FLOAT  0x0D

void idx_file_close(struct idx_file *file)
{
    content_close(&file->content);
    memset(file, 0, sizeof *file);
}

/* By kind; the numbers of dimensions that each element type may have, 0 to 0: not this type. */
static const struct {
    const char *name;
    uint32_t bytes[2], floats[2];
    const char *expected;
} kinds[] = {
    [IDX_IMAGES] = {"images", {2, 4}, {2, 4}, "0x00000802 to 0x00000804 (bytes) or 0x00000d02 to 0x00000d04 (float32)"},
    [IDX_LABELS] = {"labels", {1, 1}, {1, 2}, "0x00000801 (bytes), 0x00000d01 or 0x00000d02 (float32)"},
};

static bool kind_has(enum idx_kind kind, uint32_t magic)
{
    uint32_t type = magic >> 8, dimensions = magic & 0xff;
    const uint32_t *range = type == TYPE_FLOAT ? kinds[kind].floats : kinds[kind].bytes;
    return (type == TYPE_BYTE || type == TYPE_FLOAT) && dimensions >= range[0] && dimensions <= range[1];
}

static bool parse_magic(struct idx_file *file, enum idx_kind kind, const char *path, struct error *error)
{
    enum idx_kind other = kind == IDX_IMAGES ? IDX_LABELS : IDX_IMAGES;
    uint32_t magic = idx_big_endian(file->content.bytes);
    file->dimensions = magic & 0xff;
    file->floats = magic >> 8 == TYPE_FLOAT;
    file->element_bytes = file->floats ? sizeof(float) : 1;
    if (kind_has(kind, magic))
        return true;
    if (kind_has(other, magic))
        return error_set(error, ERROR_CORRUPT,
                         "%s holds %s (magic 0x%08" PRIx32 "), not %s: are the paths of images and labels swapped?",
                         path, kinds[other].name, magic, kinds[kind].name);
    const char *known = content_kind(file->content.bytes, file->content.count);
    return error_set(error, ERROR_CORRUPT, "%s is not an IDX file of %s: its magic is 0x%08" PRIx32 ", expected %s%s%s",
                     path, kinds[kind].name, magic, kinds[kind].expected, known ? "; it is " : "", known ? known : "");
}

/* The elements begin at `begin` and fill the file to its last byte. */
static bool parse_sizes(struct idx_file *file, enum idx_kind kind, size_t begin, const char *path, struct error *error)
{
    size_t expected = file->element_bytes;
    bool overflow = false;
    file->width = 1;
    for (size_t i = 0; i < file->dimensions; i++) {
        size_t size = idx_big_endian(file->content.bytes + MAGIC_BYTES + i * SIZE_BYTES);
        if (size == 0)
            return error_set(error, ERROR_CORRUPT, "%s holds no %s: dimension %zu of %zu in its header is 0", path,
                             kinds[kind].name, i + 1, file->dimensions);
        file->size[i] = size;
        overflow |= __builtin_mul_overflow(expected, size, &expected);
        if (i > 0)
            overflow |= __builtin_mul_overflow(file->width, size, &file->width);
    }
    overflow |= __builtin_add_overflow(expected, begin, &expected);
    if (overflow)
        return error_set(error, ERROR_CORRUPT, "%s is corrupt: its header promises more than 2^64 bytes, %zu are there",
                         path, file->content.count);
    if (file->content.count < expected)
        return error_set(error, ERROR_CORRUPT, "%s is truncated: %zu bytes expected, %zu there", path, expected,
                         file->content.count);
    if (file->content.count > expected)
        return error_set(error, ERROR_CORRUPT, "%s is too long by %zu bytes: %zu expected, %zu there", path,
                         file->content.count - expected, expected, file->content.count);
    file->elements = file->content.bytes + begin;
    return true;
}

static bool parse(struct idx_file *file, enum idx_kind kind, const char *path, struct error *error)
{
    size_t header = MAGIC_BYTES;
    if (file->content.count >= header) {
        if (!parse_magic(file, kind, path, error))
            return false;
        header += file->dimensions * SIZE_BYTES;
    }
    if (file->content.count < header)
        return error_set(error, ERROR_CORRUPT, "%s is truncated in its header: %zu bytes expected, %zu there", path,
                         header, file->content.count);
    return parse_sizes(file, kind, header, path, error);
}

struct parsing {
    struct idx_file *file;
    enum idx_kind kind;
    const char *path;
    struct error *error;
    bool ok;
};

static void parse_mapped(void *context)
{
    struct parsing *parsing = context;
    parsing->ok = parse(parsing->file, parsing->kind, parsing->path, parsing->error);
}

bool idx_file_open(struct idx_file *file, enum idx_kind kind, const char *path, struct error *error)
{
    memset(file, 0, sizeof *file);
    if (!path || !*path)
        return error_set(error, ERROR_USAGE, "a dataset of format idx needs the path of its %s", kinds[kind].name);
    struct parsing parsing = {.file = file, .kind = kind, .path = path, .error = error};
    /* The file may have become shorter since it was mapped. */
    bool ok = content_open(&file->content, path, "an IDX file", error) &&
              content_guard(&file->content, parse_mapped, &parsing, error) && parsing.ok;
    if (!ok)
        idx_file_close(file);
    return ok;
}
