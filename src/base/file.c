#include "base/file.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool file_make_directories(const char *path, struct error *error)
{
    char part[PATH_MAX];
    if (!*path || snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return error_set(error, ERROR_USAGE, "cannot create a directory whose name is empty or too long: '%s'", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        bool made = mkdir(part, 0777) == 0;
        if (!made && errno != EEXIST)
            return error_errno(error, "cannot create directory %s", part);
        if (made && !file_sync_parent(part, error))
            return false;
        if (end == '\0')
            break;
        *p = end;
    }
    struct stat info;
    if (stat(path, &info))
        return error_errno(error, "cannot look at %s", path);
    if (!S_ISDIR(info.st_mode))
        return error_set(error, ERROR_USAGE, "%s is not a directory", path);
    return true;
}

bool file_read(const char *path, char **bytes, size_t *count, struct error *error)
{
    bool ok = false;
    char *memory = NULL;
    size_t length = 0, capacity = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
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
    }
    memory[length] = '\0';
    *bytes = memory;
    *count = length;
    memory = NULL;
    ok = true;
done:
    free(memory);
    close(fd);
    return ok;
}

static bool write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t put = write(fd, bytes, count);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        count -= (size_t)put;
    }
    return true;
}

static void parent_of(const char *path, char parent[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(parent, PATH_MAX, ".");
    else
        snprintf(parent, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

bool file_replace(const char *path, const void *bytes, size_t count, struct error *error)
{
    bool ok = false;
    char parent[PATH_MAX], hidden[PATH_MAX + 64];
    parent_of(path, parent);
    const char *slash = strrchr(path, '/');
    snprintf(hidden, sizeof hidden, "%s/.%s.partial", parent, slash ? slash + 1 : path);
    int fd = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_errno(error, "cannot create %s", hidden);
    if (!write_all(fd, bytes, count) || fsync(fd))
        error_errno(error, "cannot write %s", path);
    else if (rename(hidden, path))
        error_errno(error, "cannot rename %s to %s", hidden, path);
    else
        ok = file_sync_parent(path, error);
    close(fd);
    if (!ok)
        unlink(hidden);
    return ok;
}

static bool sync_path(const char *path, int flags, struct error *error)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, "cannot open %s to sync it", path);
    bool ok = fsync(fd) == 0 || error_errno(error, "cannot sync %s", path);
    close(fd);
    return ok;
}

bool file_sync(const char *path, struct error *error)
{
    return sync_path(path, O_RDONLY, error);
}

bool file_sync_parent(const char *path, struct error *error)
{
    char parent[PATH_MAX];
    parent_of(path, parent);
    return sync_path(parent, O_RDONLY | O_DIRECTORY, error);
}

uint64_t file_free_bytes(const char *path)
{
    struct statvfs info;
    return statvfs(path, &info) ? UINT64_MAX : (uint64_t)info.f_bavail * info.f_frsize;
}

bool file_reserve(const char *path, uint64_t bytes, struct error *error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    int failure = 0;
    do
        failure = bytes ? posix_fallocate(fd, 0, (off_t)bytes) : 0;
    while (failure == EINTR);
    close(fd);
    if (failure == 0)
        return true;
    double free_mb = (double)file_free_bytes(path) / 1e6;
    errno = failure;
    return error_errno(error, "cannot reserve %.1f MB for %s (%.1f MB are free)", (double)bytes / 1e6, path, free_mb);
}

bool file_lock(const char *path, double wait_s, int *descriptor, struct error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_errno(error, "cannot create %s", path);
    double end = clock_seconds() + wait_s;
    for (;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        /* Open file description locks: they also exclude another thread, and closing some other descriptor of the
         * file does not drop them as it would drop a classic one. */
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
            *descriptor = fd;
            return true;
        }
        if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP) {
            close(fd);
            *descriptor = -1;
            return true;
        }
        if (errno != EAGAIN && errno != EACCES) {
            error_errno(error, "cannot lock %s", path);
            break;
        }
        if (clock_seconds() >= end) {
            error_set(error, ERROR_BUSY, "%s is locked by another process", path);
            break;
        }
        usleep(50000);
    }
    close(fd);
    return false;
}

bool file_is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}
