#include "checkpoint/seal.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/record.h"
#include "h5/contained.h"
#include "h5/h5.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[16] = "lockstep seal 1\n"; /* no NUL behind it */
static const char words[] = "A checkpoint of lockstep. HDF5 begins behind this; h5py and h5dump find it.\n";
static const char hdf5_signature[8] = "\211HDF\r\n\032\n";

/* The seal as it lies in the file. */
struct layout {
    char magic[16];
    char words[112];
    uint64_t bytes;
    uint64_t count;
    struct seal_range ranges[SEAL_RANGES];
    char zeros[104];
    uint64_t digest;
};
_Static_assert(sizeof(struct layout) == SEAL_BYTES && sizeof words <= sizeof((struct layout){0}.words), "512 bytes");

/* Adds the bytes [first, end) of the file. */
static bool add_span(int fd, const char *path, uint64_t first, uint64_t end, struct digest_stream *stream,
                     struct error *error)
{
    size_t most = (size_t)1 << 20, piece = end - first < most ? (size_t)(end - first) : most;
    char *buffer = memory_need(piece, 1);
    bool ok = true;
    while (ok && first < end) {
        size_t want = end - first < piece ? (size_t)(end - first) : piece;
        ssize_t got = file_read_at(fd, buffer, want, first);
        if (got < 0)
            ok = error_errno(error, "cannot read %s", path);
        else if ((size_t)got < want)
            ok = error_set(error, ERROR_CORRUPT, "%s: it became shorter while it was read", path);
        else
            digest_add(stream, buffer, want);
        first += want;
    }
    memory_free(buffer);
    return ok;
}

/* The digest of a file with this seal; `seal->digest` does not count. */
static bool digest_outside(int fd, const char *path, const struct layout *seal, uint64_t *digest, struct error *error)
{
    struct layout blank = *seal;
    blank.digest = 0;
    struct digest_stream *stream = digest_open();
    digest_add(stream, &blank, sizeof blank);
    uint64_t first = SEAL_BYTES;
    bool ok = true;
    for (uint64_t r = 0; ok && r < le64toh(seal->count); r++) {
        ok = add_span(fd, path, first, le64toh(seal->ranges[r].offset), stream, error);
        first = le64toh(seal->ranges[r].offset) + le64toh(seal->ranges[r].bytes);
    }
    ok = ok && add_span(fd, path, first, le64toh(seal->bytes), stream, error);
    *digest = digest_close(stream);
    return ok;
}

/* Whether count and ranges can be those of a file. What is outside of them is read by whoever opens it, so that it must
 * not be what a hole makes of a few bytes on a disk. */
static bool is_sound(const struct layout *seal)
{
    uint64_t end = SEAL_BYTES, bytes = le64toh(seal->bytes), count = le64toh(seal->count), inside = 0;
    bool ok = count >= 1 && count <= SEAL_RANGES;
    for (uint64_t r = 0; ok && r < count; r++) {
        uint64_t offset = le64toh(seal->ranges[r].offset), length = le64toh(seal->ranges[r].bytes);
        ok = offset >= end && offset <= bytes && length <= bytes - offset;
        end = offset + length;
        inside += length;
    }
    return ok && bytes - inside <= SEAL_OUTSIDE + inside / SEAL_PART;
}

static int by_offset(const void *a, const void *b)
{
    uint64_t x = ((const struct seal_range *)a)->offset, y = ((const struct seal_range *)b)->offset;
    return (x > y) - (x < y);
}

static struct layout make_layout(uint64_t bytes, const struct seal_range *ranges, size_t count)
{
    struct layout seal = {.bytes = htole64(bytes), .count = htole64(count)};
    struct seal_range sorted[SEAL_RANGES] = {{0}};
    CHECK(count >= 1 && count <= SEAL_RANGES, "a checkpoint has at least one array, and a seal room for 16");
    memcpy(seal.magic, magic, sizeof magic);
    memcpy(seal.words, words, sizeof words);
    memcpy(sorted, ranges, count * sizeof *ranges);
    qsort(sorted, count, sizeof *sorted, by_offset);
    for (size_t r = 0; r < count; r++)
        seal.ranges[r] = (struct seal_range){htole64(sorted[r].offset), htole64(sorted[r].bytes)};
    return seal;
}

bool seal_write(const char *path, const struct seal_range *ranges, size_t count, struct error *error)
{
    struct stat info;
    bool ok = false;
    int fd;
    if (!file_open(path, FILE_CHANGE, &fd, error))
        return false;
    if (fstat(fd, &info)) {
        error_errno(error, "cannot look at %s to seal it", path);
        goto done;
    }
    struct layout seal = make_layout((uint64_t)info.st_size, ranges, count);
    uint64_t digest;
    if (!is_sound(&seal)) {
        error_set(error, ERROR_IO, "%s: its arrays do not lie where they should", path);
        goto done;
    }
    if (!digest_outside(fd, path, &seal, &digest, error))
        goto done;
    seal.digest = htole64(digest);
    ok = file_write_at(fd, &seal, sizeof seal, 0) || error_errno(error, "cannot seal %s", path);
done:
    if (!file_close(fd) && ok)
        ok = error_errno(error, "cannot seal %s", path);
    return ok;
}

/* Of a file that begins with the magic. */
static bool prove(int fd, const char *path, const struct layout *seal, struct error *error)
{
    struct stat info;
    uint64_t bytes = le64toh(seal->bytes), digest;
    if (fstat(fd, &info))
        return error_errno(error, "cannot look at %s", path);
    if ((uint64_t)info.st_size < bytes)
        return error_set(error, ERROR_CORRUPT, "%s: truncated: it was sealed with %llu bytes and has %llu", path,
                         (unsigned long long)bytes, (unsigned long long)info.st_size);
    if ((uint64_t)info.st_size > bytes)
        return error_set(error, ERROR_CORRUPT, "%s: too long: it was sealed with %llu bytes and has %llu", path,
                         (unsigned long long)bytes, (unsigned long long)info.st_size);
    if (!is_sound(seal))
        return error_set(error, ERROR_CORRUPT, "%s: its seal is damaged", path);
    if (!digest_outside(fd, path, seal, &digest, error))
        return false;
    return digest == le64toh(seal->digest) ||
           error_set(error, ERROR_CORRUPT,
                     "%s: it fails the digest of its seal: damaged, or changed, outside the arrays", path);
}

/* Opens a file and reads where the seal is; *got: bytes read. After failure nothing is open. */
static bool open_head(const char *path, int *fd, struct layout *head, size_t *got, struct error *error)
{
    struct stat info;
    memset(head, 0, sizeof *head);
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe in a checkpoint's name is no reason to wait */
    if (*fd < 0)
        return error_errno(error, "cannot open %s", path);
    ssize_t count = -1;
    if (fstat(*fd, &info) == 0 && !S_ISREG(info.st_mode))
        error_set(error, ERROR_CORRUPT, "%s: not a lockstep checkpoint: not a file%s", path,
                  S_ISDIR(info.st_mode) ? ", but a directory: those of a run are in RUN/checkpoints" : "");
    else if ((count = file_read_at(*fd, head, sizeof *head, 0)) < 0)
        error_errno(error, "cannot read %s", path);
    if (count < 0) {
        close(*fd);
        return false;
    }
    *got = (size_t)count;
    return true;
}

/* Of a file that is open. */
static bool check_open(int fd, const char *path, const struct layout *head, size_t got, struct seal *seal,
                       struct error *error)
{
    if (memcmp(head->magic, magic, sizeof magic) == 0) {
        if (got < SEAL_BYTES)
            return error_set(error, ERROR_CORRUPT, "%s: truncated to %zu bytes", path, got);
        if (!prove(fd, path, head, error))
            return false;
        seal->count = (size_t)le64toh(head->count);
        for (size_t r = 0; r < seal->count; r++)
            seal->ranges[r] = (struct seal_range){le64toh(head->ranges[r].offset), le64toh(head->ranges[r].bytes)};
        return true;
    }
    return memcmp(head->magic, hdf5_signature, sizeof hdf5_signature) == 0 ||
           error_set(error, ERROR_CORRUPT,
                     "%s: not a lockstep checkpoint: it begins with neither a seal nor HDF5's signature", path);
}

static bool open_with(const char *path, bool proven, struct seal *seal, int *fd, struct error *error)
{
    struct layout head;
    struct stat info;
    size_t got = 0;
    *seal = (struct seal){0};
    if (!open_head(path, fd, &head, &got, error)) {
        *fd = -1;
        return false;
    }
    bool ok = !proven || check_open(*fd, path, &head, got, seal, error);
    if (ok && fstat(*fd, &info))
        ok = error_errno(error, "cannot look at %s", path);
    seal->bytes = ok ? (uint64_t)info.st_size : 0;
    if (!ok) {
        close(*fd);
        *fd = -1;
    }
    return ok;
}

bool seal_open(const char *path, struct seal *seal, int *descriptor, struct error *error)
{
    return open_with(path, true, seal, descriptor, error);
}

bool seal_open_unproven(const char *path, struct seal *seal, int *descriptor, struct error *error)
{
    return open_with(path, false, seal, descriptor, error);
}

static bool has_our_format(hid_t file, void *context, char **answer, size_t *bytes, struct error *error)
{
    char *format;
    (void)context, (void)answer, (void)bytes;
    return h5_get_text(file, "format", &format, error) && strcmp(format, RECORD_FORMAT) == 0;
}

bool seal_is_ours(const char *path)
{
    int fd;
    struct layout head;
    struct error error;
    char *answer = NULL;
    size_t got = 0, bytes;
    if (!open_head(path, &fd, &head, &got, &error))
        return false;
    bool ours = memcmp(head.magic, magic, sizeof magic) == 0;
    if (!ours && memcmp(head.magic, hdf5_signature, sizeof hdf5_signature) == 0)
        ours = contained_run(path, fd, CONTAINED_ROOT, has_our_format, NULL, &answer, &bytes, &error);
    memory_free(answer);
    close(fd);
    return ours;
}
