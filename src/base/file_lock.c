/* Locks on files. */
#include "base/clock.h"
#include "base/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define AGAIN_S 1.0 /* at least, for a file that is deleted whenever it is opened */

/* Whether the file system has no locks that exclude: Lustre without `flock` and NFS without its lock server say so, an
 * old kernel knows nothing of ours. */
static bool has_none(int reason)
{
    return reason == ENOLCK || reason == ENOSYS || reason == EOPNOTSUPP || reason == EINVAL;
}

/* Whether the path leads to what was opened. */
static bool has_name(int fd, const char *path)
{
    struct stat held, found;
    if (fstat(fd, &held))
        return true;
    if (lstat(path, &found))
        return errno != ENOENT;
    return held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

bool file_lock(const char *path, double wait_s, int *descriptor, struct error *error)
{
    int fd;
    *descriptor = -1;
    if (!file_open(path, FILE_LOCK, &fd, error))
        return false;
    double end = clock_seconds() + wait_s;
    for (;;) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        /* Open file description locks: they also exclude another thread, and closing some other descriptor of the
         * file does not drop them as it would drop a classic one. */
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
            if (has_name(fd, path)) {
                *descriptor = fd;
                return true;
            }
            close(fd); /* it was deleted, and whoever had it may hold another one now */
            if (!file_open(path, FILE_LOCK, &fd, error))
                return false;
            if (clock_seconds() < end + AGAIN_S)
                continue;
            error_set(error, ERROR_BUSY, "%s is deleted again and again", path);
            break;
        }
        if (errno == EINTR)
            continue;
        if (has_none(errno)) {
            close(fd);
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
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0)
        return false;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}
