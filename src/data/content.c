#include "data/content.h"

#include "base/guard.h"
#include "base/utf8.h"
#include "data/inflate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

void content_leave(struct content *content)
{
    if (content->mapping)
        munmap(content->mapping, content->count);
    content->mapping = NULL;
    inflated_close(&content->inflated);
    content->bytes = NULL;
    struct watched *watched = &content->watched;
    if (watched->path && watched->descriptor >= 0) {
        close(watched->descriptor);
        watched->descriptor = -1;
    }
    watched->bytes = NULL;
    watched->count = 0;
}

void content_close(struct content *content)
{
    content_leave(content);
    watched_release(&content->watched);
    memset(content, 0, sizeof *content);
}

static bool file_map(struct content *content, const char *path, const char *what, int fd, struct error *error)
{
    struct watched *watched = &content->watched;
    if (!watched_init(watched, path, fd, error))
        return false;
    if (!S_ISREG(watched->known.st_mode))
        return content_refuse_irregular(path, watched->known.st_mode, what, error);
    if (watched->known.st_size == 0)
        return error_set(error, ERROR_CORRUPT, "%s is empty", path);
    size_t count = (size_t)watched->known.st_size;
    void *bytes = mmap(NULL, count, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return error_errno(error, "cannot map %s", path);
    content->mapping = bytes;
    content->bytes = bytes;
    content->count = count;
    return true;
}

static bool take_inflated(struct content *content, const char *path, const struct inflated_table *table,
                          struct error *error)
{
    munmap(content->mapping, content->count);
    content->mapping = NULL;
    if (!inflated_open(&content->inflated, path, &content->watched.known, table, error))
        return false;
    content->bytes = content->inflated.bytes;
    content->count = content->inflated.count;
    return true;
}

/* After failure the content may hold something: close it. */
static bool file_load(struct content *content, const char *path, const char *what, const struct inflated_table *table,
                      struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us waiting */
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = file_map(content, path, what, fd, error);
    bool is_gzip = ok && inflate_is_gzip(fd);
    if (!ok || is_gzip)
        close(fd);
    if (!is_gzip) {
        if (ok) {
            content->watched.descriptor = fd;
            content->watched.bytes = content->mapping;
            content->watched.count = content->count;
        }
        return ok;
    }
    return take_inflated(content, path, table, error);
}

bool content_open(struct content *content, const char *path, const char *what, const struct inflated_table *table,
                  struct error *error)
{
    memset(content, 0, sizeof *content);
    content->watched.descriptor = -1;
    bool ok = file_load(content, path, what, table, error);
    if (!ok)
        content_close(content);
    return ok;
}

bool content_guard(const struct content *content, void (*work)(void *), void *context, struct error *error)
{
    const void *where;
    return guard_run(work, context, &where) || watched_refuse(&content->watched, error);
}

bool content_begins(const uint8_t *bytes, size_t count, const char *magic, size_t length)
{
    return bytes && count >= length && memcmp(bytes, magic, length) == 0;
}

bool content_is_text(const uint8_t *bytes, size_t count)
{
    if (!bytes || count == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (bytes[i] < ' ' && (bytes[i] < '\t' || bytes[i] > '\r'))
            return false;
    size_t whole = utf8_whole((const char *)bytes, count);
    return whole > 0 && count - whole < UTF8_BYTES; /* the last character may be cut */
}

bool content_is_single_bytes(const uint8_t *bytes, size_t count)
{
    size_t beyond = 0;
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] < ' ' && (bytes[i] < '\t' || bytes[i] > '\r'))
            return false;
        beyond += bytes[i] >= 0x7F;
    }
    return beyond > 0;
}

const char *content_find(const struct content_magic *magics, const uint8_t *bytes, size_t count)
{
    for (; magics->bytes; magics++)
        if (content_begins(bytes, count, magics->bytes, magics->length))
            return magics->words;
    return NULL;
}

#define IDX_DIMS_MOST 8 /* that are read */

/* gzip is not among them: what it made is inflated before anybody looks. */
static const struct content_magic kinds[] = {
    {"\223NUMPY", 6, "a NumPy file: format: npy"},
    {"PK\3\4", 4, "a zip archive; if numpy.savez made it: format: npz"},
    {"PK\5\6", 4, "an empty zip archive"},
    {"\211HDF\r\n\032\n", 8, "an HDF5 file: format: hdf5"},
    {"CDF\1", 4, "a NetCDF-3 file: nccopy -k nc4 OLD NEW makes NetCDF-4 of it"},
    {"CDF\2", 4, "a NetCDF-3 file: nccopy -k nc4 OLD NEW makes NetCDF-4 of it"},
    {"CDF\5", 4, "a NetCDF-3 file: nccopy -k nc4 OLD NEW makes NetCDF-4 of it"},
    {"\211PNG", 4, "a PNG image: format: folder"},
    {"\377\330\377", 3, "a JPEG image: format: folder"},
    {"\210\330\064\1", 4, "a file of llm.c's tokens: format: tokens"},
    {"\241\331\064\1", 4, "a file of llm.c's tokens: format: tokens"},
    {"BZh", 3, "packed by bzip2: unpack it"},
    {"\3757zXZ", 5, "packed by xz: unpack it"},
    {"\050\265\057\375", 4, "packed by zstd: unpack it"},
    {0},
};

/* The bytes of a number in an IDX file, by the third byte; 0: there is no such type. */
static size_t idx_width(uint8_t type)
{
    static const uint8_t widths[] = {[0x08] = 1, [0x09] = 1, [0x0B] = 2, [0x0C] = 4, [0x0D] = 4, [0x0E] = 8};
    return type < sizeof widths ? widths[type] : 0;
}

static bool begins_as_idx(const uint8_t *bytes, size_t count)
{
    return content_begins(bytes, count, "\0\0", 2) && count >= 4 && idx_width(bytes[2]) > 0 && bytes[3] > 0 &&
           bytes[3] <= IDX_DIMS_MOST;
}

bool content_is_idx(const uint8_t *bytes, size_t count, uint64_t length)
{
    if (!begins_as_idx(bytes, count) || count < 4 + 4 * (size_t)bytes[3])
        return false;
    uint64_t expected = idx_width(bytes[2]);
    for (size_t d = 0; d < bytes[3]; d++) {
        const uint8_t *size = bytes + 4 + 4 * d;
        uint64_t there = (uint64_t)size[0] << 24 | (uint64_t)size[1] << 16 | (uint64_t)size[2] << 8 | size[3];
        if (__builtin_mul_overflow(expected, there, &expected))
            return false;
    }
    return length == 4 + 4 * (uint64_t)bytes[3] + expected;
}

const char *content_kind(const uint8_t *bytes, size_t count)
{
    return begins_as_idx(bytes, count) ? "an IDX file: format: idx" : content_find(kinds, bytes, count);
}

/* As people call raw tokens, which begin in any way. */
static bool is_called_tokens(const char *path)
{
    static const char *const endings[] = {".bin", ".tok", ".u16", ".bin.gz", ".tok.gz", ".u16.gz"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t wanted = strlen(endings[i]);
        if (length > wanted && strcasecmp(path + length - wanted, endings[i]) == 0)
            return true;
    }
    return false;
}

const char *content_seems(const char *path, const uint8_t *bytes, size_t count)
{
    const char *known = content_kind(bytes, count);
    if (known)
        return known;
    if (content_is_text(bytes, count < CONTENT_PEEK ? count : CONTENT_PEEK))
        return "a text: format: csv, if it is a table, or else format: text";
    return is_called_tokens(path) ? "called as raw tokens are: format: tokens" : NULL;
}

bool content_peek(const char *path, uint8_t *bytes, size_t most, size_t *count, struct error *error)
{
    gzFile file = gzopen(path, "rbe");
    if (!file)
        return error_errno(error, "cannot open %s", path);
    int got = gzread(file, bytes, (unsigned)most); /* what is not packed it reads as it is */
    gzclose_r(file);
    *count = got > 0 ? (size_t)got : 0;
    return got >= 0 || error_set(error, ERROR_CORRUPT, "%s cannot be read", path);
}

bool content_refuse_irregular(const char *path, mode_t mode, const char *what, struct error *error)
{
    if (S_ISDIR(mode))
        return error_set(error, ERROR_USAGE,
                         "%s is a directory: give the path of %s; images in a directory for each class are format: "
                         "folder",
                         path, what);
    return error_set(error, ERROR_USAGE, "%s is not a regular file: give the path of %s", path, what);
}
