#include "data/idx_file.h"

#include "base/guard.h"
#include "data/inflate.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_BYTES 4
#define SIZE_BYTES  4
#define TYPE_BYTE   0x08
#define TYPE_FLOAT  0x0D

void idx_file_close(struct idx_file *file)
{
    if (file->bytes && file->mapped)
        munmap(file->bytes, file->count);
    else
        free(file->bytes);
    watched_release(&file->watched);
    memset(file, 0, sizeof *file);
}

/* A plain file is mapped, so that the ranks of a node share the page cache, and stays open, so that it can be looked at
 * (watched.h). A .gz is inflated into memory. */
static bool file_map(struct idx_file *file, const char *path, int fd, struct error *error)
{
    struct watched *watched = &file->watched;
    if (!watched_init(watched, path, fd, error))
        return false;
    if (!S_ISREG(watched->known.st_mode))
        return error_set(error, ERROR_USAGE, "%s is not a regular file: give the path of an IDX file", path);
    if (watched->known.st_size == 0)
        return error_set(error, ERROR_CORRUPT, "%s is empty", path);
    size_t count = (size_t)watched->known.st_size;
    void *bytes = mmap(NULL, count, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return error_errno(error, "cannot map %s", path);
    file->bytes = bytes;
    file->count = count;
    file->mapped = true;
    return true;
}

/* After failure the file may hold something: close it. */
static bool file_load(struct idx_file *file, const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us waiting */
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = file_map(file, path, fd, error);
    bool is_gzip = ok && inflate_is_gzip(fd);
    if (!ok || is_gzip)
        close(fd);
    if (!is_gzip) {
        if (ok) {
            file->watched.descriptor = fd;
            file->watched.bytes = file->bytes;
            file->watched.count = file->count;
        }
        return ok;
    }
    munmap(file->bytes, file->count);
    file->bytes = NULL;
    file->count = 0;
    file->mapped = false;
    return inflate_file(path, &file->bytes, &file->count, error);
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
    uint32_t magic = idx_big_endian(file->bytes);
    file->dimensions = magic & 0xff;
    file->floats = magic >> 8 == TYPE_FLOAT;
    file->element_bytes = file->floats ? sizeof(float) : 1;
    if (kind_has(kind, magic))
        return true;
    if (kind_has(other, magic))
        return error_set(error, ERROR_CORRUPT,
                         "%s holds %s (magic 0x%08" PRIx32 "), not %s: are the paths of images and labels swapped?",
                         path, kinds[other].name, magic, kinds[kind].name);
    return error_set(error, ERROR_CORRUPT, "%s is not an IDX file of %s: its magic is 0x%08" PRIx32 ", expected %s",
                     path, kinds[kind].name, magic, kinds[kind].expected);
}

/* The elements begin at `begin` and fill the file to its last byte. */
static bool parse_sizes(struct idx_file *file, enum idx_kind kind, size_t begin, const char *path, struct error *error)
{
    size_t expected = file->element_bytes;
    bool overflow = false;
    file->width = 1;
    for (size_t i = 0; i < file->dimensions; i++) {
        size_t size = idx_big_endian(file->bytes + MAGIC_BYTES + i * SIZE_BYTES);
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
                         path, file->count);
    if (file->count < expected)
        return error_set(error, ERROR_CORRUPT, "%s is truncated: %zu bytes expected, %zu there", path, expected,
                         file->count);
    if (file->count > expected)
        return error_set(error, ERROR_CORRUPT, "%s is too long by %zu bytes: %zu expected, %zu there", path,
                         file->count - expected, expected, file->count);
    file->elements = file->bytes + begin;
    return true;
}

static bool parse(struct idx_file *file, enum idx_kind kind, const char *path, struct error *error)
{
    size_t header = MAGIC_BYTES;
    if (file->count >= header) {
        if (!parse_magic(file, kind, path, error))
            return false;
        header += file->dimensions * SIZE_BYTES;
    }
    if (file->count < header)
        return error_set(error, ERROR_CORRUPT, "%s is truncated in its header: %zu bytes expected, %zu there", path,
                         header, file->count);
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

/* The file may have become shorter since it was mapped. */
static bool parse_guarded(struct idx_file *file, enum idx_kind kind, const char *path, struct error *error)
{
    struct parsing parsing = {.file = file, .kind = kind, .path = path, .error = error};
    const void *where;
    return guard_run(parse_mapped, &parsing, &where) ? parsing.ok : watched_refuse(&file->watched, error);
}

bool idx_file_open(struct idx_file *file, enum idx_kind kind, const char *path, struct error *error)
{
    memset(file, 0, sizeof *file);
    if (!path || !*path)
        return error_set(error, ERROR_USAGE, "a dataset of format idx needs the path of its %s", kinds[kind].name);
    bool ok = file_load(file, path, error) && parse_guarded(file, kind, path, error);
    if (!ok)
        idx_file_close(file);
    return ok;
}
