#include "data/watched.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool watched_init(struct watched *watched, const char *path, int descriptor, struct error *error)
{
    *watched = (struct watched){.descriptor = -1};
    if (fstat(descriptor, &watched->known))
        return error_errno(error, "cannot look at %s", path);
    watched->size = watched->known.st_size;
    watched->path = memory_text(path);
    return true;
}

void watched_release(struct watched *watched)
{
    if (!watched->path)
        return;
    if (watched->descriptor >= 0)
        close(watched->descriptor);
    memory_free(watched->path);
    *watched = (struct watched){.descriptor = -1};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_bytes(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && same_time(&a->st_mtim, &b->st_mtim);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

enum watched_state watched_look(struct watched *watched)
{
    struct stat now, there;
    if (watched->descriptor >= 0) {
        if (fstat(watched->descriptor, &now))
            return WATCHED_UNKNOWN;
        if (now.st_size < watched->size)
            return WATCHED_SHORT;
        /* Who writes can put the time of the last write back (rsync, cp -p), but not that of the inode's last change;
         * new rights or a new link change that one as well. */
        bool written = !same_bytes(&now, &watched->known);
        if (written || !same_time(&now.st_ctim, &watched->known.st_ctim)) {
            watched->known = now;
            watched->touched = true;
            watched->written = watched->written || written;
        }
    }
    if (watched->told)
        return WATCHED_SAME;
    if (stat(watched->path, &there))
        watched->told = errno == ENOENT || errno == ENOTDIR;
    else if (!same_file(&there, &watched->known))
        watched->told = true;
    else
        watched->told = watched->descriptor < 0 ? !same_bytes(&there, &watched->known) : there.st_size > watched->size;
    return watched->told ? WATCHED_LEFT : WATCHED_SAME;
}

bool watched_refuse(const struct watched *watched, struct error *error)
{
    struct stat now;
    if (fstat(watched->descriptor, &now))
        return error_errno(error, "%s cannot be read any more", watched->path);
    if (now.st_size < watched->size)
        return error_set(
            error, ERROR_CORRUPT,
            "%s has become shorter while it was in use: %lld bytes, %lld when it was opened. Data files are "
            "replaced by a rename, not in place",
            watched->path, (long long)now.st_size, (long long)watched->size);
    return error_set(error, ERROR_IO, "%s cannot be read any more: its disk or its file server fails", watched->path);
}
