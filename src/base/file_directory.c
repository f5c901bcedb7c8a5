/* Directories on the way to a file. */
#include "base/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Of a directory that exists mkdir does not always say EEXIST: what comes first counts, and on NFS, an automounter's
 * directory or a read-only file system that may be EACCES, EPERM or EROFS. So a look decides, and comes first. */
static bool make(const char *path, mode_t mode, struct error *error)
{
    if (is_directory(path))
        return true;
    if (mkdir(path, mode) == 0)
        return file_sync_parent(path, error);
    int reason = errno;
    if (is_directory(path)) /* somebody else was faster, or the look before was answered from memory */
        return true;
    errno = reason;
    return reason == EEXIST ? error_set(error, ERROR_USAGE, "%s is not a directory", path)
                            : error_errno(error, "cannot create directory %s", path);
}

bool file_make_directories(const char *path, struct error *error)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return error_set(error, ERROR_USAGE, "cannot create a directory whose name is empty or too long: '%s'", path);
    memcpy(part, path, length + 1);
    while (length > 1 && part[length - 1] == '/')
        part[--length] = '\0';
    if (is_directory(part))
        return true;
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        bool ok = make(part, 0777, error);
        *p = '/';
        if (!ok)
            return false;
    }
    return make(part, 0777, error);
}

/* What has the name, and is no directory of ours, in words. */
static bool refuse(const struct stat *info, const char *path, enum file_owner owner, struct error *error)
{
    char whose[64];
    snprintf(whose, sizeof whose, "belongs to another user (%lu)", (unsigned long)info->st_uid);
    const char *what = S_ISLNK(info->st_mode)                            ? "is a symbolic link"
                       : !S_ISDIR(info->st_mode)                         ? "is not a directory"
                       : owner == FILE_MINE && info->st_uid == geteuid() ? "is a directory in which others may write"
                                                                         : whose;
    return error_set(error, owner == FILE_MINE ? ERROR_IO : ERROR_USAGE, "%s %s%s: remove it", path, what,
                     owner == FILE_MINE ? ", and has to be a directory of this user alone" : "");
}

static bool is_taken(const struct stat *info, const struct stat *above, enum file_owner owner)
{
    return S_ISDIR(info->st_mode) &&
           (owner == FILE_MINE ? info->st_uid == geteuid() && !(info->st_mode & 022) : file_is_ours(info, above));
}

static bool open_directory(const struct file_place *place, const char *path, enum file_owner owner, int *descriptor,
                           struct error *error)
{
    struct stat info, above;
    int fd = file_open_at(place->directory, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0) {
        int reason = errno;
        if (fstatat(place->directory, place->name, &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(info.st_mode))
            return refuse(&info, path, owner, error);
        errno = reason;
        return error_errno(error, "cannot open the directory %s", path);
    }
    bool ok = (fstat(fd, &info) == 0 && fstat(place->directory, &above) == 0) ||
              error_errno(error, "cannot look at %s", path);
    ok = ok && (is_taken(&info, &above, owner) || refuse(&info, path, owner, error));
    if (ok)
        *descriptor = fd;
    else
        close(fd);
    return ok;
}

bool file_open_directory(const char *path, enum file_owner owner, int *descriptor, struct error *error)
{
    struct file_place place;
    *descriptor = -1;
    if (!file_find_place(path, &place, error))
        return false;
    bool ok = open_directory(&place, path, owner, descriptor, error);
    file_leave_place(&place);
    return ok;
}

/* What mkdir says of a directory that exists does not count (see above): opening it decides. */
static bool make_place(const struct file_place *place, const char *path, enum file_owner owner, int *descriptor,
                       struct error *error)
{
    bool made = mkdirat(place->directory, place->name, owner == FILE_MINE ? 0700 : 0777) == 0;
    int reason = errno;
    if (!open_directory(place, path, owner, descriptor, error)) {
        errno = reason;
        return made || error->kind != ERROR_NOT_FOUND ? false : error_errno(error, "cannot create directory %s", path);
    }
    return !made || file_sync_place(place, path, error);
}

bool file_make_directory(const char *path, enum file_owner owner, int *descriptor, struct error *error)
{
    struct file_place place;
    char parent[PATH_MAX];
    *descriptor = -1;
    file_parent(path, parent);
    if (!file_make_directories(parent, error))
        return false;
    if (!file_find_place(path, &place, error))
        return false;
    bool ok = make_place(&place, path, owner, descriptor, error);
    file_leave_place(&place);
    if (!ok && *descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
    return ok;
}
