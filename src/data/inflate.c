#include "data/inflate.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

bool inflate_is_gzip(int descriptor)
{
    uint8_t magic[2];
    return pread(descriptor, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
}

/* At the end of what zlib could read: whether that was all. */
static bool inflated_whole(gzFile stream, size_t count, const char *path, struct error *error)
{
    int status;
    int number = errno;
    const char *words = gzerror(stream, &status);
    if (status == Z_OK || status == Z_STREAM_END)
        return count > 0 || error_set(error, ERROR_CORRUPT, "%s is empty: its gzip data holds no bytes", path);
    if (status == Z_BUF_ERROR)
        return error_set(error, ERROR_CORRUPT, "%s is truncated: its gzip data breaks off after %zu inflated bytes",
                         path, count);
    if (status == Z_ERRNO) {
        errno = number;
        return error_errno(error, "cannot read %s", path);
    }
    if (status == Z_MEM_ERROR)
        return error_set(error, ERROR_IO, "not enough memory to inflate %s", path);
    size_t length = strlen(path); /* zlib begins with the path as well */
    bool has_path = strncmp(words, path, length) == 0 && strncmp(words + length, ": ", 2) == 0;
    return error_set(error, ERROR_CORRUPT, "%s is corrupt gzip data: %s", path, has_path ? words + length + 2 : words);
}

/* Room for one more byte at least, and for the NUL behind. The room follows what really comes out, never what a header
 * promises. */
static bool make_room(uint8_t **bytes, size_t *room, const char *path, struct error *error)
{
    size_t more = *room ? 2 * *room : (size_t)1 << 20;
    uint8_t *larger = realloc(*bytes, more);
    if (!larger)
        return error_set(error, ERROR_IO, "not enough memory to inflate %s (%.1f MB)", path, (double)more / 1e6);
    *bytes = larger;
    *room = more;
    return true;
}

static bool inflate_all(gzFile stream, const char *path, uint8_t **bytes, size_t *count, struct error *error)
{
    size_t room = 0;
    for (;;) {
        if (*count + 1 >= room && !make_room(bytes, &room, path, error))
            return false;
        size_t most = (size_t)1 << 30; /* gzread counts in an int */
        size_t want = room - *count - 1;
        int got = gzread(stream, *bytes + *count, (unsigned)(want < most ? want : most));
        if (got <= 0)
            return inflated_whole(stream, *count, path, error);
        *count += (size_t)got;
    }
}

bool inflate_file(const char *path, uint8_t **bytes, size_t *count, struct error *error)
{
    *bytes = NULL;
    *count = 0;
    gzFile stream = gzopen(path, "rb");
    if (!stream)
        return error_errno(error, "cannot open %s", path);
    bool ok = inflate_all(stream, path, bytes, count, error);
    gzclose(stream);
    if (ok) {
        (*bytes)[*count] = 0;
        return true;
    }
    free(*bytes);
    *bytes = NULL;
    *count = 0;
    return false;
}

#define PIECE ((size_t)1 << 20)

static bool inflate_pieces(gzFile stream, const char *path, int descriptor, size_t *count, struct error *error)
{
    uint8_t *piece = memory_need(PIECE, 1);
    bool ok = true;
    *count = 0;
    for (int got = 1; ok && got > 0; *count += got > 0 ? (size_t)got : 0) {
        got = gzread(stream, piece, (unsigned)PIECE);
        if (got <= 0)
            ok = inflated_whole(stream, *count, path, error);
        size_t bytes = got > 0 ? (size_t)got : 1;
        if (got <= 0)
            piece[0] = 0;
        if (ok && !file_write_at(descriptor, piece, bytes, *count))
            ok = error_errno(error, "cannot inflate %s into memory", path);
    }
    memory_free(piece);
    return ok;
}

bool inflate_into(const char *path, int descriptor, size_t *count, struct error *error)
{
    gzFile stream = gzopen(path, "rb");
    if (!stream)
        return error_errno(error, "cannot open %s", path);
    bool ok = inflate_pieces(stream, path, descriptor, count, error);
    gzclose(stream);
    return ok;
}
