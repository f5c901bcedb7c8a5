/* Directories on the way to a file. */
#include "base/file_place.h"

#include <errno.h>
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

bool file_make_private_directory(const char *path, struct error *error)
{
    struct stat info;
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash && slash > parent) {
        *slash = '\0';
        if (!file_make_directories(parent, error))
            return false;
    }
    bool made = mkdir(path, 0700) == 0;
    int reason = errno;
    if (lstat(path, &info)) {
        errno = reason;
        return error_errno(error, "cannot create directory %s", path);
    }
    return made || (S_ISDIR(info.st_mode) && info.st_uid == geteuid() && !(info.st_mode & 022)) ||
           error_set(error, ERROR_IO, "%s is not a directory of this user alone", path);
}
