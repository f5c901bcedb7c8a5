#include "data/content.h"

#include "base/guard.h"
#include "base/utf8.h"
#include "data/inflate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
        return error_set(error, ERROR_USAGE, "%s is not a regular file: give the path of %s", path, what);
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

const char *content_find(const struct content_magic *magics, const uint8_t *bytes, size_t count)
{
    for (; magics->bytes; magics++)
        if (content_begins(bytes, count, magics->bytes, magics->length))
            return magics->words;
    return NULL;
}

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
    {"\0\0\010", 3, "an IDX file: format: idx"},
    {"\0\0\015", 3, "an IDX file: format: idx"},
    {"BZh", 3, "packed by bzip2: unpack it"},
    {"\3757zXZ", 5, "packed by xz: unpack it"},
    {"\050\265\057\375", 4, "packed by zstd: unpack it"},
    {0},
};

const char *content_kind(const uint8_t *bytes, size_t count)
{
    return content_find(kinds, bytes, count);
}
