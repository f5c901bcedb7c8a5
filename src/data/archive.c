#include "data/archive.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define INFLATE 1100 /* the most that deflate makes of a byte is 1032: an archive that promises more is a trap */
#define PIECE   ((size_t)1 << 30) /* zlib counts in an unsigned */

/* The records, each with its signature and the bytes that it has before its texts. */
#define END            0x06054b50 /* of the directory */
#define END_BYTES      22
#define LOCATOR        0x07064b50 /* of the next, right before END */
#define LOCATOR_BYTES  20
#define END_64         0x06064b50
#define END_64_BYTES   56
#define ENTRY          0x02014b50 /* of the directory, one a member */
#define ENTRY_BYTES    46
#define LOCAL          0x04034b50 /* before the bytes of a member */
#define LOCAL_BYTES    30
#define COMMENT_MOST   65535
#define EXTRA_64       0x0001
#define FLAG_ENCRYPTED 1
#define STORED         0
#define DEFLATED       8

static uint64_t number(const uint8_t *bytes, size_t width)
{
    uint64_t value = 0;
    for (size_t b = 0; b < width; b++)
        value |= (uint64_t)bytes[b] << 8 * b;
    return value;
}

static bool has_record(const uint8_t *bytes, size_t count, uint64_t at, uint32_t signature, size_t size)
{
    return at <= count && count - at >= size && number(bytes + at, 4) == signature;
}

static bool refuse(const char *path, const char *what, struct error *error)
{
    return error_set(error, ERROR_CORRUPT, "%s is a corrupt or truncated zip archive: %s", path, what);
}

/* The directory [begin, end). */
static bool find_directory(const uint8_t *bytes, size_t count, const char *path, uint64_t *begin, uint64_t *end,
                           struct error *error)
{
    if (count < 4 || number(bytes, 4) != LOCAL) {
        const char *known = content_seems(path, bytes, count);
        return error_set(error, ERROR_CORRUPT, "%s is not a zip archive of arrays%s%s", path,
                         known ? ", but " : ": numpy.savez writes one", known ? known : "");
    }
    size_t at = count < END_BYTES ? 0 : count - END_BYTES, least = at < COMMENT_MOST ? 0 : at - COMMENT_MOST;
    while (at > least &&
           !(has_record(bytes, count, at, END, END_BYTES) && at + END_BYTES + number(bytes + at + 20, 2) == count))
        at--;
    if (!has_record(bytes, count, at, END, END_BYTES))
        return refuse(path, "it has no directory at its end", error);
    uint64_t size = number(bytes + at + 12, 4);
    *begin = number(bytes + at + 16, 4);
    if (at >= LOCATOR_BYTES && has_record(bytes, count, at - LOCATOR_BYTES, LOCATOR, LOCATOR_BYTES)) {
        uint64_t wide = number(bytes + at - LOCATOR_BYTES + 8, 8);
        if (!has_record(bytes, count, wide, END_64, END_64_BYTES))
            return refuse(path, "the end of its directory is not where it should be", error);
        size = number(bytes + wide + 40, 8);
        *begin = number(bytes + wide + 48, 8);
    }
    if (*begin > at || size > at - *begin)
        return refuse(path, "its directory lies beyond its end", error);
    *end = *begin + size;
    return true;
}

/* An entry of the directory. */
struct entry {
    const char *name;
    size_t name_bytes;
    unsigned flags, method;
    uint32_t crc32;
    uint64_t stored, size, local; /* bytes; the place of its local record */
};

/* What does not fit 32 bits stands in an extra field, in this order. */
static bool take_wide(const uint8_t *extra, size_t count, struct entry *entry)
{
    uint64_t *fields[] = {&entry->size, &entry->stored, &entry->local};
    while (count >= 4) {
        size_t id = (size_t)number(extra, 2), bytes = (size_t)number(extra + 2, 2), at = 0;
        extra += 4, count -= 4;
        if (bytes > count)
            return false;
        for (size_t i = 0; id == EXTRA_64 && i < 3; i++) {
            if (*fields[i] != UINT32_MAX)
                continue;
            if (bytes - at < 8)
                return false;
            *fields[i] = number(extra + at, 8);
            at += 8;
        }
        extra += bytes, count -= bytes;
    }
    return true;
}

/* The entry at *at, which moves behind it. */
static bool take_entry(const uint8_t *bytes, uint64_t end, uint64_t *at, struct entry *entry)
{
    const uint8_t *from = bytes + *at;
    if (!has_record(bytes, (size_t)end, *at, ENTRY, ENTRY_BYTES))
        return false;
    size_t name = (size_t)number(from + 28, 2), extra = (size_t)number(from + 30, 2);
    size_t comment = (size_t)number(from + 32, 2);
    if (end - *at - ENTRY_BYTES < name + extra + comment)
        return false;
    *entry = (struct entry){.name = (const char *)from + ENTRY_BYTES,
                            .name_bytes = name,
                            .flags = (unsigned)number(from + 8, 2),
                            .method = (unsigned)number(from + 10, 2),
                            .crc32 = (uint32_t)number(from + 16, 4),
                            .stored = number(from + 20, 4),
                            .size = number(from + 24, 4),
                            .local = number(from + 42, 4)};
    *at += ENTRY_BYTES + name + extra + comment;
    return take_wide(from + ENTRY_BYTES + name, extra, entry);
}

/* Appends a name to a list in a message, as far as there is room; a stranger's bytes are shown as they can be. */
static void list_name(char *list, size_t room, const struct entry *entry)
{
    size_t used = strlen(list), most = entry->name_bytes < 40 ? entry->name_bytes : 40;
    if (used + most + 8 > room) {
        snprintf(list + used, room - used, "%s", used >= 3 && strcmp(list + used - 3, "...") == 0 ? "" : ", ...");
        return;
    }
    used += (size_t)snprintf(list + used, room - used, "%s", used ? ", " : "");
    for (size_t i = 0; i < most; i++)
        list[used++] = entry->name[i] > ' ' && entry->name[i] < 127 ? entry->name[i] : '?';
    list[used] = '\0';
}

/* Where the bytes of an entry lie. */
static bool locate(const uint8_t *bytes, size_t count, const char *path, const struct entry *entry,
                   struct archive_member *member, struct error *error)
{
    if (entry->flags & FLAG_ENCRYPTED)
        return error_set(error, ERROR_USAGE, "%s is encrypted: numpy.savez writes what can be read", path);
    if (entry->method != STORED && entry->method != DEFLATED)
        return error_set(error, ERROR_USAGE,
                         "%s is packed by method %u, which is not read: numpy.savez_compressed uses deflate", path,
                         entry->method);
    if (!has_record(bytes, count, entry->local, LOCAL, LOCAL_BYTES))
        return refuse(path, "a member is not where its directory says", error);
    const uint8_t *local = bytes + entry->local;
    size_t rest = count - (size_t)entry->local - LOCAL_BYTES;
    size_t before = (size_t)number(local + 26, 2) + (size_t)number(local + 28, 2);
    if (before > rest || entry->stored > rest - before)
        return refuse(path, "a member goes beyond its end", error);
    bool deflated = entry->method == DEFLATED;
    if (deflated ? entry->size / INFLATE > entry->stored : entry->size != entry->stored)
        return error_set(error, ERROR_CORRUPT, "%s is corrupt: %" PRIu64 " bytes cannot be in %" PRIu64 " stored ones",
                         path, entry->size, entry->stored);
    *member = (struct archive_member){.stored = local + LOCAL_BYTES + before,
                                      .stored_bytes = (size_t)entry->stored,
                                      .bytes = (size_t)entry->size,
                                      .crc32 = entry->crc32,
                                      .deflated = deflated};
    return true;
}

bool archive_find(const uint8_t *bytes, size_t count, const char *path, const char *name, struct archive_member *member,
                  struct error *error)
{
    uint64_t at = 0, end = 0;
    struct entry entry, found = {0};
    size_t length = strlen(name);
    char there[240] = "";
    if (!find_directory(bytes, count, path, &at, &end, error))
        return false;
    while (at < end) {
        if (!take_entry(bytes, end, &at, &entry))
            return refuse(path, "its directory is not one", error);
        list_name(there, sizeof there, &entry);
        if (entry.name_bytes == length && memcmp(entry.name, name, length) == 0)
            found = entry;
    }
    if (!found.name)
        return error_set(error, ERROR_NOT_FOUND, "%s has no member %s: it has %s", path, name,
                         *there ? there : "none at all");
    return locate(bytes, count, path, &found, member, error);
}

bool archive_name(const uint8_t *bytes, size_t count, const char *path, size_t index, char *name, size_t room,
                  struct error *error)
{
    uint64_t at = 0, end = 0;
    struct entry entry = {0};
    error_clear(error);
    if (!find_directory(bytes, count, path, &at, &end, error))
        return false;
    for (size_t i = 0; i <= index; i++) {
        if (at >= end)
            return false;
        if (!take_entry(bytes, end, &at, &entry))
            return refuse(path, "its directory is not one", error);
    }
    snprintf(name, room, "%.*s", (int)entry.name_bytes, entry.name);
    return true;
}

/* ---- the bytes of a member ---- */

struct taking {
    const struct archive_member *member;
    z_stream stream;
    uint8_t *into;
    size_t done; /* bytes */
    uint32_t crc32;
    int status;
};

static void check_stored(void *context)
{
    struct taking *taking = context;
    const struct archive_member *member = taking->member;
    for (size_t n; taking->done < member->bytes; taking->done += n) {
        n = member->bytes - taking->done < PIECE ? member->bytes - taking->done : PIECE;
        taking->crc32 = (uint32_t)crc32(taking->crc32, member->stored + taking->done, (unsigned)n);
    }
}

static void inflate_stored(void *context)
{
    struct taking *taking = context;
    const struct archive_member *member = taking->member;
    z_stream *stream = &taking->stream;
    size_t used = 0;
    uint8_t beyond; /* a place for what comes behind the last byte: nothing may */
    do {
        size_t in = member->stored_bytes - used, room = member->bytes - taking->done;
        in = in < PIECE ? in : PIECE;
        size_t out = room == 0 ? 1 : room < PIECE ? room : PIECE;
        stream->next_in = (Bytef *)(uintptr_t)(member->stored + used);
        stream->avail_in = (unsigned)in;
        stream->next_out = room == 0 ? &beyond : taking->into + taking->done;
        stream->avail_out = (unsigned)out;
        taking->status = inflate(stream, Z_NO_FLUSH);
        size_t made = out - stream->avail_out;
        used += in - stream->avail_in;
        if (room == 0 && made > 0)
            taking->status = Z_DATA_ERROR;
        taking->crc32 = (uint32_t)crc32(taking->crc32, taking->into + taking->done, room == 0 ? 0 : (unsigned)made);
        taking->done += room == 0 ? 0 : made;
    } while (taking->status == Z_OK);
}

static bool inflate_member(const struct content *content, struct taking *taking, const char *name, uint8_t **owned,
                           struct error *error)
{
    taking->into = *owned = memory_alloc(taking->member->bytes, 1, name, error);
    if (!*owned)
        return false;
    if (inflateInit2(&taking->stream, -MAX_WBITS) != Z_OK)
        return error_set(error, ERROR_IO, "not enough memory to inflate %s", name);
    bool ok = content_guard(content, inflate_stored, taking, error);
    inflateEnd(&taking->stream);
    if (ok && (taking->status != Z_STREAM_END || taking->done != taking->member->bytes))
        ok = error_set(error, ERROR_CORRUPT, "%s is corrupt: it inflates to %zu bytes, %zu expected", name,
                       taking->done, taking->member->bytes);
    return ok;
}

bool archive_take(const struct content *content, const struct archive_member *member, const char *name,
                  const uint8_t **bytes, uint8_t **owned, struct error *error)
{
    struct taking taking = {.member = member};
    *owned = NULL;
    bool ok = member->deflated ? inflate_member(content, &taking, name, owned, error)
                               : content_guard(content, check_stored, &taking, error);
    *bytes = member->deflated ? *owned : member->stored;
    if (ok && taking.crc32 != member->crc32)
        ok = error_set(error, ERROR_CORRUPT, "%s is corrupt: its bytes do not have the checksum that its archive says",
                       name);
    if (!ok) {
        memory_free(*owned);
        *owned = NULL;
    }
    return ok;
}
