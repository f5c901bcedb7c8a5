/* Contents on their way to the disk and back: reading, replacing, syncing, reserving. */
#include "base/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool too_long(const char *path, struct error *error)
{
    return error_set(error, ERROR_USAGE, "%s is longer than such a file gets: it is not used; remove it", path);
}

static bool read_all(int fd, const char *path, size_t most, char **bytes, size_t *count, struct error *error)
{
    char *memory = NULL;
    size_t length = 0, capacity = 0;
    bool ok = false;
    for (;;) {
        if (capacity - length < 2) {
            capacity = capacity ? 2 * capacity : 65536;
            char *larger = realloc(memory, capacity);
            if (!larger) {
                error_set(error, ERROR_IO, "not enough memory to read %s", path);
                goto done;
            }
            memory = larger;
        }
        ssize_t got = read(fd, memory + length, capacity - length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            error_errno(error, "cannot read %s", path);
            goto done;
        }
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > most) {
            too_long(path, error);
            goto done;
        }
    }
    memory[length] = '\0';
    *bytes = memory;
    *count = length;
    memory = NULL;
    ok = true;
done:
    free(memory);
    return ok;
}

bool file_read(const char *path, char **bytes, size_t *count, struct error *error)
{
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = read_all(fd, path, SIZE_MAX, bytes, count, error);
    close(fd);
    return ok;
}

bool file_read_own(const char *path, size_t most, char **bytes, size_t *count, struct error *error)
{
    struct stat info;
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    bool is_link = fd < 0 && errno == ELOOP && lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
    if (fd < 0 && !is_link)
        return error_errno(error, "cannot open %s", path);
    bool ok = !is_link && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (ok)
        ok = (uintmax_t)info.st_size <= most ? read_all(fd, path, most, bytes, count, error) : too_long(path, error);
    else
        error_set(error, ERROR_USAGE, "%s is %s: remove it", path,
                  is_link ? "a symbolic link, and those that lie in a run directory are not followed" : "not a file");
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool read_note(int fd, const char *path, char **bytes, size_t *count, struct error *error)
{
    bool ok = read_all(fd, path, FILE_NOTE_MOST, bytes, count, error);
    close(fd);
    return ok;
}

bool file_read_note(const char *path, char **bytes, size_t *count, struct error *error)
{
    int fd;
    return file_open(path, FILE_READ, &fd, error) && read_note(fd, path, bytes, count, error);
}

bool file_read_note_in(int directory, const char *path, char **bytes, size_t *count, struct error *error)
{
    int fd;
    return file_open_in(directory, path, FILE_READ, &fd, error) && read_note(fd, path, bytes, count, error);
}

ssize_t file_read_at(int descriptor, void *bytes, size_t count, uint64_t offset)
{
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(descriptor, (char *)bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

bool file_write_at(int descriptor, const void *bytes, size_t count, uint64_t offset)
{
    for (size_t done = 0; done < count;) {
        ssize_t put = pwrite(descriptor, (const char *)bytes + done, count - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put == 0)
            errno = EIO; /* it would go on like that for ever */
        if (put <= 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

/* The hidden file, on the disk, under the final name. */
static bool replace_at(const struct file_place *place, const struct file_place *hidden, const char *path,
                       const void *bytes, size_t count, struct error *error)
{
    int fd = file_open_place(hidden, path, FILE_NEW, error);
    if (fd < 0)
        return false;
    bool ok = (file_write_at(fd, bytes, count, 0) && fsync(fd) == 0) || error_errno(error, "cannot write %s", path);
    if (!file_close(fd) && ok)
        ok = error_errno(error, "cannot write %s", path);
    if (ok && !file_rename_at(hidden->directory, hidden->name, place->directory, place->name))
        ok = error_errno(error, "cannot rename %s to %s", hidden->name, path);
    ok = ok && file_sync_place(place, path, error);
    if (!ok)
        unlinkat(hidden->directory, hidden->name, 0);
    return ok;
}

static bool replace_place(const struct file_place *place, const char *path, const void *bytes, size_t count,
                          struct error *error)
{
    char name[NAME_MAX + 64];
    snprintf(name, sizeof name, ".%s.partial", place->name);
    struct file_place hidden = {.directory = place->directory, .name = name};
    return replace_at(place, &hidden, path, bytes, count, error);
}

bool file_replace(const char *path, const void *bytes, size_t count, struct error *error)
{
    struct file_place place;
    if (!file_find_place(path, &place, error))
        return false;
    bool ok = replace_place(&place, path, bytes, count, error);
    file_leave_place(&place);
    return ok;
}

bool file_replace_in(int directory, const char *path, const void *bytes, size_t count, struct error *error)
{
    struct file_place place;
    return file_place_in(directory, path, &place, error) && replace_place(&place, path, bytes, count, error);
}

bool file_sync(const char *path, struct error *error)
{
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(error, "cannot open %s to sync it", path);
    bool ok = fsync(fd) == 0 || error_errno(error, "cannot sync %s", path);
    close(fd);
    return ok;
}

bool file_sync_parent(const char *path, struct error *error)
{
    struct file_place place;
    if (!file_find_place(path, &place, error))
        return false;
    bool ok = file_sync_place(&place, path, error);
    file_leave_place(&place);
    return ok;
}

uint64_t file_stored_between(int descriptor, uint64_t first, uint64_t end)
{
    uint64_t stored = 0;
    while (first < end) {
        off_t data = lseek(descriptor, (off_t)first, SEEK_DATA);
        if (data < 0 && errno == ENXIO) /* nothing from here on */
            break;
        uint64_t from = data < 0 ? first : (uint64_t)data;
        off_t hole = data < 0 ? -1 : lseek(descriptor, data, SEEK_HOLE);
        uint64_t to = hole <= data || (uint64_t)hole > end ? end : (uint64_t)hole;
        stored += from < to ? to - from : 0;
        first = to;
    }
    return stored;
}

uint64_t file_free_bytes(const char *path)
{
    struct statvfs info;
    return statvfs(path, &info) ? UINT64_MAX : (uint64_t)info.f_bavail * info.f_frsize;
}

bool file_reserve(const char *path, uint64_t bytes, struct error *error)
{
    int fd, failure = 0;
    if (!file_open(path, FILE_CHANGE, &fd, error))
        return false;
    do
        failure = bytes ? posix_fallocate(fd, 0, (off_t)bytes) : 0;
    while (failure == EINTR);
    if (!file_close(fd) && failure == 0)
        failure = errno;
    if (failure == 0)
        return true;
    double free_mb = (double)file_free_bytes(path) / 1e6;
    errno = failure;
    return error_errno(error, "cannot reserve %.1f MB for %s (%.1f MB are free)", (double)bytes / 1e6, path, free_mb);
}
