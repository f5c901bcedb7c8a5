#include "base/file.h"

#include "base/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES  3     /* for what a server answers about a file that was replaced under us (ESTALE) */
#define NOBODY 65534 /* whom a server takes root for ("root squash") */

static const struct {
    int flags;
    mode_t mode;
    bool unlinks, looks;
} uses[FILE_USES] = {
    [FILE_NEW] = {O_RDWR | O_CREAT | O_EXCL, 0666, true, false},
    [FILE_PRIVATE] = {O_RDWR | O_CREAT | O_EXCL, 0600, true, false},
    [FILE_MARK] = {O_RDWR | O_CREAT | O_EXCL, 0666, false, false},
    [FILE_APPEND] = {O_RDWR | O_CREAT | O_APPEND, 0666, false, true},
    [FILE_CHANGE] = {O_RDWR, 0, false, true},
    [FILE_LOCK] = {O_RDWR | O_CREAT, 0666, false, true},
    [FILE_READ] = {O_RDONLY, 0, false, true},
};

int file_open_at(int directory, const char *name, int flags, mode_t mode)
{
    int fd, tries = 0;
    do
        fd = openat(directory, name, flags | O_CLOEXEC | O_NOCTTY, mode);
    while (fd < 0 && (errno == EINTR || (errno == ESTALE && ++tries < TRIES)));
    return fd;
}

/* What becomes of a file that is refused. */
static const char *not_done(enum file_use use)
{
    return use == FILE_READ ? "used" : "written";
}

void file_parent(const char *path, char parent[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int length = !slash || slash == path ? 1 : (int)(slash - path);
    snprintf(parent, PATH_MAX, "%.*s", length, slash ? path : ".");
}

static bool set_name(const char *path, struct file_place *place, struct error *error)
{
    const char *slash = strrchr(path, '/');
    place->name = slash ? slash + 1 : path;
    return (*place->name && strlen(place->name) <= NAME_MAX) ||
           error_set(error, ERROR_USAGE, "'%.100s' is no name for a file", path);
}

bool file_place_in(int directory, const char *path, struct file_place *place, struct error *error)
{
    *place = (struct file_place){.directory = directory, .syncs = true};
    return set_name(path, place, error);
}

bool file_find_place(const char *path, struct file_place *place, struct error *error)
{
    char parent[PATH_MAX];
    if (!set_name(path, place, error))
        return false;
    if (strlen(path) >= sizeof parent)
        return error_set(error, ERROR_USAGE, "'%.100s' is no name for a file", path);
    file_parent(path, parent);
    place->syncs = true;
    place->directory = file_open_at(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, 0);
    if (place->directory < 0 && errno == EACCES) { /* to be written in, and not to be listed */
        place->syncs = false;
        place->directory = file_open_at(AT_FDCWD, parent, O_PATH | O_DIRECTORY, 0);
    }
    return place->directory >= 0 || error_errno(error, "cannot open the directory %s", parent);
}

void file_leave_place(struct file_place *place)
{
    close(place->directory);
}

bool file_sync_place(const struct file_place *place, const char *path, struct error *error)
{
    /* Some file systems have no sync of a directory: their names need none, or cannot have any. */
    return !place->syncs || fsync(place->directory) == 0 || errno == EINVAL || errno == EOPNOTSUPP ||
           error_errno(error, "cannot sync the directory of %s", path);
}

bool file_is_ours(const struct stat *info, const struct stat *above)
{
    uid_t user = geteuid();
    return info->st_uid == user || info->st_uid == 0 || info->st_uid == above->st_uid ||
           (user == 0 && info->st_uid == NOBODY);
}

/* Whether what was there before may be written, or used: see file_open. */
static bool is_ours(int fd, const struct file_place *place, const char *path, enum file_use use, struct error *error)
{
    struct stat info, above;
    if (fstat(fd, &info) || fstat(place->directory, &above))
        return error_errno(error, "cannot look at %s", path);
    if (!S_ISREG(info.st_mode))
        return error_set(error, ERROR_USAGE, "%s is not a file: it is not %s; remove it", path, not_done(use));
    if (info.st_nlink > 1)
        return error_set(error, ERROR_USAGE,
                         "%s has %lu names (hard links), and what the others stand for is not to be changed: remove it",
                         path, (unsigned long)info.st_nlink);
    return file_is_ours(&info, &above) ||
           error_set(error, ERROR_USAGE, "%s belongs to another user (%lu): it is not %s; remove it", path,
                     (unsigned long)info.st_uid, not_done(use));
}

/* The reason why what has the name cannot be opened, in errno, in words. */
static bool explain(const struct file_place *place, const char *path, enum file_use use, struct error *error)
{
    struct stat info;
    int reason = errno;
    bool is_there = fstatat(place->directory, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && S_ISLNK(info.st_mode) && uses[use].looks)
        return error_set(error, ERROR_USAGE,
                         "%s is a symbolic link, and those that lie in a run directory are not followed: remove it",
                         path);
    if (is_there && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && uses[use].looks)
        return error_set(error, ERROR_USAGE, "%s is not a file: it is not %s; remove it", path, not_done(use));
    errno = reason;
    if (reason == EEXIST && use == FILE_MARK)
        return error_set(error, ERROR_BUSY, "%s exists", path);
    return error_errno(error, "cannot %s %s", uses[use].flags & O_CREAT ? "create" : "open", path);
}

int file_open_place(const struct file_place *place, const char *path, enum file_use use, struct error *error)
{
    if (uses[use].unlinks && unlinkat(place->directory, place->name, 0) && errno != ENOENT && errno != ESTALE) {
        error_errno(error, "cannot create %s: what has that name cannot be removed", path);
        return -1;
    }
    /* A pipe must not keep us waiting. */
    int fd = file_open_at(place->directory, place->name, uses[use].flags | O_NOFOLLOW | O_NONBLOCK, uses[use].mode);
    if (fd < 0) {
        explain(place, path, use, error);
    } else if (uses[use].looks && !is_ours(fd, place, path, use, error)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool file_open(const char *path, enum file_use use, int *descriptor, struct error *error)
{
    struct file_place place;
    *descriptor = -1;
    if (!file_find_place(path, &place, error))
        return false;
    *descriptor = file_open_place(&place, path, use, error);
    file_leave_place(&place);
    return *descriptor >= 0;
}

bool file_open_in(int directory, const char *path, enum file_use use, int *descriptor, struct error *error)
{
    struct file_place place;
    *descriptor = file_place_in(directory, path, &place, error) ? file_open_place(&place, path, use, error) : -1;
    return *descriptor >= 0;
}

bool file_close(int descriptor)
{
    return close(descriptor) == 0 || errno == EINTR; /* on Linux it is closed all the same */
}

void file_name_of(int descriptor, const char *path, char name[PATH_MAX])
{
    snprintf(name, PATH_MAX, "/proc/self/fd/%d", descriptor);
    if (descriptor < 0 || access(name, F_OK))
        snprintf(name, PATH_MAX, "%s", path);
}

/* Whether a rename that is told not to have found its file was made: by the first of two requests. */
static bool was_renamed(const struct stat *before, int directory, const char *to)
{
    struct stat after;
    return fstatat(directory, to, &after, AT_SYMLINK_NOFOLLOW) == 0 && after.st_dev == before->st_dev &&
           after.st_ino == before->st_ino;
}

bool file_rename_at(int from, const char *name, int directory, const char *to)
{
    struct stat before;
    if (fstatat(from, name, &before, AT_SYMLINK_NOFOLLOW))
        return false;
    if (renameat(from, name, directory, to) == 0)
        return true;
    int reason = errno;
    bool done = (reason == ENOENT || reason == ESTALE) && was_renamed(&before, directory, to);
    errno = reason;
    return done;
}

bool file_rename(const char *path, const char *to, struct error *error)
{
    return file_rename_at(AT_FDCWD, path, AT_FDCWD, to) || error_errno(error, "cannot rename %s to %s", path, to);
}

bool file_remove(const char *path, struct error *error)
{
    return unlink(path) == 0 || errno == ENOENT || error_errno(error, "cannot delete %s", path);
}

bool file_rename_in(int directory, const char *path, const char *to, struct error *error)
{
    struct file_place from, place;
    return file_place_in(directory, path, &from, error) && file_place_in(directory, to, &place, error) &&
           (file_rename_at(directory, from.name, directory, place.name) ||
            error_errno(error, "cannot rename %s to %s", path, to));
}

bool file_remove_in(int directory, const char *path, struct error *error)
{
    struct file_place place;
    return file_place_in(directory, path, &place, error) &&
           (unlinkat(directory, place.name, 0) == 0 || errno == ENOENT || error_errno(error, "cannot delete %s", path));
}
