#include "disk_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The C library's function of that name, as a pointer `real` of type `type (*) parameters`. */
#define REAL(type, name, parameters)                                                                                   \
    static type(*real) parameters;                                                                                     \
    if (!real)                                                                                                         \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

/* Makes the call with `make`, an expression, if the shim lets it pass. */
#define PASS(call, result, make)                                                                                       \
    long result;                                                                                                       \
    do {                                                                                                               \
        if (!disk_before(&call, &result))                                                                              \
            result = (long)(make);                                                                                     \
        int after = errno;                                                                                             \
        disk_after(&call, result);                                                                                     \
        errno = after;                                                                                                 \
    } while (0)

bool disk_path(const struct disk_call *call, char path[PATH_MAX])
{
    char link[64];
    if (call->path && call->path[0] != '/') {
        if (!getcwd(path, PATH_MAX))
            return false;
        size_t used = strlen(path);
        return snprintf(path + used, PATH_MAX - used, "/%s", call->path) < (int)(PATH_MAX - used);
    }
    if (call->path)
        return snprintf(path, PATH_MAX, "%s", call->path) < PATH_MAX;
    snprintf(link, sizeof link, "/proc/self/fd/%d", call->fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* The path of a call like openat; `buffer` is for one that is relative to an open directory. */
static const char *path_at(int directory, const char *path, char buffer[PATH_MAX])
{
    struct disk_call call = {.fd = directory};
    if (path[0] == '/' || directory == AT_FDCWD || !disk_path(&call, buffer))
        return path;
    size_t used = strlen(buffer);
    return snprintf(buffer + used, PATH_MAX - used, "/%s", path) < (int)(PATH_MAX - used) ? buffer : path;
}

ssize_t disk_writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, writev, (int, const struct iovec *, int));
    return real(fd, parts, count);
}

/* ---- writes ---- */

static size_t total_of(const struct iovec *parts, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    return total;
}

/* A write of one part. */
#define WRITE(name, parameters, at, arguments)                                                                         \
    ssize_t name parameters                                                                                            \
    {                                                                                                                  \
        REAL(ssize_t, name, parameters);                                                                               \
        struct iovec part = {.iov_base = (void *)(size_t)bytes, .iov_len = count};                                     \
        struct disk_call call = {                                                                                      \
            .kind = DISK_WRITE, .fd = fd, .parts = &part, .part_count = 1, .bytes = count, .offset = at};              \
        PASS(call, result, real arguments);                                                                            \
        return result;                                                                                                 \
    }

WRITE(write, (int fd, const void *bytes, size_t count), -1, (fd, bytes, call.bytes))
WRITE(pwrite, (int fd, const void *bytes, size_t count, off_t offset), offset, (fd, bytes, call.bytes, offset))
WRITE(pwrite64, (int fd, const void *bytes, size_t count, off64_t offset), offset, (fd, bytes, call.bytes, offset))

/* So many of the parts that no more than `bytes` are passed on: a whole number of them, or a piece of the first. */
static int shorten(const struct iovec *parts, int count, size_t bytes, struct iovec *first)
{
    int whole = 0;
    *first = parts[0];
    for (size_t sum = 0; whole < count && sum + parts[whole].iov_len <= bytes; whole++)
        sum += parts[whole].iov_len;
    if (whole == 0)
        first->iov_len = bytes;
    return whole;
}

/* A write of several parts. */
#define WRITEV(name, parameters, at, arguments)                                                                        \
    ssize_t name parameters                                                                                            \
    {                                                                                                                  \
        REAL(ssize_t, name, parameters);                                                                               \
        struct disk_call call = {.kind = DISK_WRITE,                                                                   \
                                 .fd = fd,                                                                             \
                                 .parts = parts,                                                                       \
                                 .part_count = count,                                                                  \
                                 .bytes = total_of(parts, count),                                                      \
                                 .offset = at};                                                                        \
        long result;                                                                                                   \
        if (!disk_before(&call, &result)) {                                                                            \
            struct iovec first;                                                                                        \
            int whole = count > 0 ? shorten(parts, count, call.bytes, &first) : 0;                                     \
            if (count > 0 && whole == 0) {                                                                             \
                parts = &first;                                                                                        \
                whole = 1;                                                                                             \
            }                                                                                                          \
            count = whole;                                                                                             \
            result = real arguments;                                                                                   \
        }                                                                                                              \
        int after = errno;                                                                                             \
        disk_after(&call, result);                                                                                     \
        errno = after;                                                                                                 \
        return result;                                                                                                 \
    }

WRITEV(writev, (int fd, const struct iovec *parts, int count), -1, (fd, parts, count))
WRITEV(pwritev, (int fd, const struct iovec *parts, int count, off_t offset), offset, (fd, parts, count, offset))
WRITEV(pwritev64, (int fd, const struct iovec *parts, int count, off64_t offset), offset, (fd, parts, count, offset))

/* ---- sizes ---- */

#define TRUNCATE(name, type)                                                                                           \
    int name(int fd, type length)                                                                                      \
    {                                                                                                                  \
        REAL(int, name, (int, type));                                                                                  \
        struct disk_call call = {.kind = DISK_TRUNCATE, .fd = fd, .length = length};                                   \
        PASS(call, result, real(fd, length));                                                                          \
        return (int)result;                                                                                            \
    }

TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define FALLOCATE(name, type)                                                                                          \
    int name(int fd, int mode, type offset, type length)                                                               \
    {                                                                                                                  \
        REAL(int, name, (int, int, type, type));                                                                       \
        struct disk_call call = {.kind = DISK_RESERVE, .fd = fd, .offset = offset, .length = length};                  \
        PASS(call, result, real(fd, mode, offset, length));                                                            \
        return (int)result;                                                                                            \
    }

FALLOCATE(fallocate, off_t)
FALLOCATE(fallocate64, off64_t)

/* These return the error; to the shim they look like the others. */
#define POSIX_FALLOCATE(name, type)                                                                                    \
    int name(int fd, type offset, type length)                                                                         \
    {                                                                                                                  \
        REAL(int, name, (int, type, type));                                                                            \
        struct disk_call call = {.kind = DISK_RESERVE, .fd = fd, .offset = offset, .length = length};                  \
        PASS(call, result, (errno = real(fd, offset, length)) ? -1 : 0);                                               \
        return result ? errno : 0;                                                                                     \
    }

POSIX_FALLOCATE(posix_fallocate, off_t)
POSIX_FALLOCATE(posix_fallocate64, off64_t)

/* ---- syncs ---- */

#define SYNC(name)                                                                                                     \
    int name(int fd)                                                                                                   \
    {                                                                                                                  \
        REAL(int, name, (int));                                                                                        \
        struct disk_call call = {.kind = DISK_SYNC, .fd = fd};                                                         \
        PASS(call, result, real(fd));                                                                                  \
        return (int)result;                                                                                            \
    }

SYNC(fsync)
SYNC(fdatasync)

/* What is told of a close is told afterwards: the descriptor is closed. */
int close(int fd)
{
    REAL(int, close, (int));
    struct disk_call call = {.kind = DISK_CLOSE, .fd = fd};
    long result;
    bool is_answered = disk_before(&call, &result);
    int reason = errno, closed = real(fd);
    if (!is_answered)
        return closed;
    errno = reason;
    return (int)result;
}

/* ---- names ---- */

int rename(const char *old, const char *new)
{
    REAL(int, rename, (const char *, const char *));
    struct disk_call call = {.kind = DISK_RENAME, .fd = -1, .path = old, .other = new};
    PASS(call, result, real(old, new));
    return (int)result;
}

int renameat2(int old_at, const char *old, int new_at, const char *new, unsigned flags)
{
    char from[PATH_MAX], to[PATH_MAX];
    REAL(int, renameat2, (int, const char *, int, const char *, unsigned));
    struct disk_call call = {
        .kind = DISK_RENAME, .fd = -1, .path = path_at(old_at, old, from), .other = path_at(new_at, new, to)};
    PASS(call, result, real(old_at, old, new_at, new, flags));
    return (int)result;
}

int renameat(int old_at, const char *old, int new_at, const char *new)
{
    return renameat2(old_at, old, new_at, new, 0);
}

int unlink(const char *path)
{
    REAL(int, unlink, (const char *));
    struct disk_call call = {.kind = DISK_UNLINK, .fd = -1, .path = path};
    PASS(call, result, real(path));
    return (int)result;
}

int unlinkat(int at, const char *path, int flags)
{
    char whole[PATH_MAX];
    REAL(int, unlinkat, (int, const char *, int));
    struct disk_call call = {.kind = DISK_UNLINK, .fd = -1, .path = path_at(at, path, whole)};
    PASS(call, result, real(at, path, flags));
    return (int)result;
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, mkdir, (const char *, mode_t));
    struct disk_call call = {.kind = DISK_MKDIR, .fd = -1, .path = path};
    PASS(call, result, real(path, mode));
    return (int)result;
}

/* Opens that cannot create a file are none of our business. */
#define OPEN(name, parameters, whole_path, arguments)                                                                  \
    int name parameters                                                                                                \
    {                                                                                                                  \
        REAL(int, name, parameters);                                                                                   \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                                         \
            va_list list;                                                                                              \
            va_start(list, flags);                                                                                     \
            mode = va_arg(list, mode_t);                                                                               \
            va_end(list);                                                                                              \
        }                                                                                                              \
        if (!(flags & O_CREAT))                                                                                        \
            return real arguments;                                                                                     \
        char buffer[PATH_MAX] = "";                                                                                    \
        (void)buffer;                                                                                                  \
        struct disk_call call = {.kind = DISK_CREATE, .fd = -1, .path = whole_path, .flags = flags};                   \
        call.absent = access(call.path, F_OK) != 0;                                                                    \
        PASS(call, result, call.fd = real arguments);                                                                  \
        return (int)result;                                                                                            \
    }

OPEN(open, (const char *path, int flags, ...), path, (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), path, (path, flags, mode))
OPEN(openat, (int at, const char *path, int flags, ...), path_at(at, path, buffer), (at, path, flags, mode))
OPEN(openat64, (int at, const char *path, int flags, ...), path_at(at, path, buffer), (at, path, flags, mode))

/* ---- lists ---- */

#define LIST(name, type)                                                                                               \
    type *name(DIR *directory)                                                                                         \
    {                                                                                                                  \
        REAL(type *, name, (DIR *));                                                                                   \
        struct disk_call call = {.kind = DISK_LIST, .fd = dirfd(directory)};                                           \
        long result;                                                                                                   \
        return disk_before(&call, &result) ? NULL : real(directory);                                                   \
    }

LIST(readdir, struct dirent)
LIST(readdir64, struct dirent64)
