#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void directory_init(struct directory *directory)
{
    *directory = (struct directory){.handle = -1};
}

bool directory_open(struct directory *directory, const char *path, struct error *error)
{
    directory_init(directory);
    if (snprintf(directory->path, sizeof directory->path, "%s", path) >= (int)sizeof directory->path)
        return error_set(error, ERROR_USAGE, "path too long: %.200s", path);
    directory->handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->handle < 0)
        return error_errno(error, "cannot open the directory %s", path);
    directory_where(directory, directory->where);
    return true;
}

void directory_close(struct directory *directory)
{
    if (directory->handle >= 0)
        close(directory->handle);
    directory->handle = -1;
}

enum directory_state directory_look(const struct directory *directory)
{
    struct stat held, found;
    char where[PATH_MAX];
    static const char deleted[] = " (deleted)";
    if (directory->handle < 0)
        return DIRECTORY_HERE;
    if (fstat(directory->handle, &held)) /* a server has forgotten it */
        return errno == ESTALE || errno == ENOENT ? DIRECTORY_GONE : DIRECTORY_AWAY;
    if (stat(directory->path, &found) == 0) {
        if (found.st_dev == held.st_dev && found.st_ino == held.st_ino)
            return DIRECTORY_HERE;
    } else if (errno != ENOENT && errno != ENOTDIR) {
        return DIRECTORY_AWAY;
    }
    directory_where(directory, where);
    if (held.st_nlink > 0 && strcmp(where, directory->where) == 0 && access(directory->path, F_OK) != 0)
        return DIRECTORY_AWAY;
    size_t length = strlen(where), end = strlen(deleted);
    bool gone = held.st_nlink == 0 || (length > end && strcmp(where + length - end, deleted) == 0);
    return gone ? DIRECTORY_GONE : DIRECTORY_MOVED;
}

bool directory_renew(struct directory *directory, struct error *error)
{
    struct directory now;
    if (!directory_open(&now, directory->path, error))
        return false;
    bool ok = dup3(now.handle, directory->handle, O_CLOEXEC) >= 0 ||
              error_errno(error, "cannot open the directory %s", directory->path);
    close(now.handle);
    if (ok)
        memcpy(directory->where, now.where, sizeof now.where);
    return ok;
}

void directory_name(const struct directory *directory, char name[64])
{
    snprintf(name, 64, "/proc/self/fd/%d", directory->handle);
}

void directory_where(const struct directory *directory, char where[PATH_MAX])
{
    char name[64];
    directory_name(directory, name);
    ssize_t length = readlink(name, where, PATH_MAX - 1);
    if (length < 0)
        snprintf(where, PATH_MAX, "somewhere else");
    else
        where[length] = '\0';
}
