#include "base/hidden_file.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS    16
#define NAME_PART 200 /* bytes of the name that go into the hidden one: a name has 255 */
#define ENDING    ".partial"

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static char *hide(const char *path, uint64_t token)
{
    struct text hidden;
    const char *name = name_of(path);
    text_init(&hidden);
    text_append(&hidden, "%.*s.%.*s.%0*" PRIx64 ENDING, (int)(name - path), path, NAME_PART, name, DIGITS, token);
    return hidden.bytes;
}

static uint64_t make_token(void)
{
    uint64_t token;
    if (getrandom(&token, sizeof token, 0) != sizeof token)
        token = (uint64_t)clock_unix() << 20 ^ (uint64_t)getpid();
    return token;
}

/* Whether a name is a hidden one for the file `name`. */
static bool is_left(const char *found, const char *name)
{
    size_t length = strnlen(name, NAME_PART);
    if (found[0] != '.' || strncmp(found + 1, name, length) != 0 || found[1 + length] != '.')
        return false;
    const char *digits = found + length + 2;
    return strspn(digits, "0123456789abcdef") == DIGITS && strcmp(digits + DIGITS, ENDING) == 0;
}

/* Others that are being written, or were left. Who may not list the directory is told nothing. */
static void tell_left(const char *path)
{
    char parent[PATH_MAX];
    file_parent(path, parent);
    DIR *directory = opendir(parent);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (is_left(entry->d_name, name_of(path)))
            log_warn("%s/%s is of another command that is at work, or was killed: remove it if none is", parent,
                     entry->d_name);
    if (directory)
        closedir(directory);
}

bool hidden_file_make(struct hidden_file *file, const char *path, uint64_t *token, struct error *error)
{
    *file = (struct hidden_file){.descriptor = -1};
    if (!*name_of(path))
        return error_set(error, ERROR_USAGE, "'%s' is no name for a file", path);
    tell_left(path);
    *token = make_token();
    file->path = hide(path, *token);
    if (file_open(file->path, FILE_MARK, &file->descriptor, error))
        return true;
    file->descriptor = -1;
    hidden_file_release(file, false);
    return error_prefix(error, "%s: ", path);
}

uint64_t hidden_file_number(const struct hidden_file *file)
{
    struct stat info;
    return file->descriptor >= 0 && fstat(file->descriptor, &info) == 0 ? info.st_ino : 0;
}

bool hidden_file_join(struct hidden_file *file, const char *path, uint64_t token, uint64_t number, struct error *error)
{
    *file = (struct hidden_file){.path = hide(path, token), .descriptor = -1};
    bool ok = file_open(file->path, FILE_CHANGE, &file->descriptor, error);
    if (!ok)
        file->descriptor = -1;
    if (ok && hidden_file_number(file) != number)
        ok = error_set(error, ERROR_IO, "%s: another file has this name here than on rank 0", file->path);
    if (!ok)
        hidden_file_release(file, false);
    return ok || error_prefix(error, "%s: ", path);
}

bool hidden_file_take(struct hidden_file *file, struct error *error)
{
    int descriptor;
    if (!file_open(file->path, FILE_CHANGE, &descriptor, error))
        return false;
    close(file->descriptor); /* nobody has written there */
    file->descriptor = descriptor;
    return true;
}

bool hidden_file_sync(const struct hidden_file *file, const char *path, struct error *error)
{
    return fsync(file->descriptor) == 0 || error_errno(error, "cannot write %s", path);
}

/* Whether the hidden name leads to the file that is open. */
static bool has_name(const struct hidden_file *file)
{
    struct stat held, found;
    return file->descriptor >= 0 && fstat(file->descriptor, &held) == 0 && lstat(file->path, &found) == 0 &&
           held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

static bool take_name(struct hidden_file *file, const char *path, struct error *error)
{
    if (!has_name(file))
        return error_set(error, ERROR_IO, "%s: what was written as %s is not there any more: who has removed it?", path,
                         file->path);
    return file_rename(file->path, path, error);
}

bool hidden_file_publish(struct hidden_file *file, const char *path, struct error *error)
{
    if (!hidden_file_sync(file, path, error) || !take_name(file, path, error))
        return false;
    memory_free(file->path);
    file->path = NULL;
    bool ok = file_close(file->descriptor) || error_errno(error, "cannot write %s", path);
    file->descriptor = -1;
    return (ok && file_sync_parent(path, error)) ||
           error_prefix(error, "%s is there, but may be gone or broken after a loss of power: ", path);
}

void hidden_file_release(struct hidden_file *file, bool is_maker)
{
    if (file->path && is_maker && has_name(file))
        unlink(file->path);
    if (file->path && file->descriptor >= 0)
        close(file->descriptor);
    memory_free(file->path);
    *file = (struct hidden_file){.descriptor = -1};
}

bool hidden_file_write(const char *path, const void *bytes, size_t count, struct error *error)
{
    struct hidden_file file;
    uint64_t token;
    if (!hidden_file_make(&file, path, &token, error))
        return false;
    bool ok = (file_write_at(file.descriptor, bytes, count, 0) || error_errno(error, "cannot write %s", path)) &&
              hidden_file_publish(&file, path, error);
    hidden_file_release(&file, true);
    return ok;
}
