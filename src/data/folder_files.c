#include "data/folder_files.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "data/content.h"
#include "data/image_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST ((size_t)1 << 30) /* bytes of an image file */

/* ---- listing ---- */

/* What systems put into directories that somebody has looked at. */
static bool is_passed_over(const char *name)
{
    static const char *const others[] = {"Thumbs.db", "ehthumbs.db", "desktop.ini"};
    bool passed_over = name[0] == '.';
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        passed_over = passed_over || strcasecmp(name, others[i]) == 0;
    return passed_over;
}

static bool is_called_image(const char *name)
{
    const char *point = strrchr(name, '.');
    return point &&
           (strcasecmp(point, ".png") == 0 || strcasecmp(point, ".jpg") == 0 || strcasecmp(point, ".jpeg") == 0);
}

/* Calls add(files, name) for each name in the directory that is not passed over; its handle is closed. */
static bool list(struct folder_files *files, int handle, const char *path,
                 bool (*add)(struct folder_files *files, const char *name, struct error *error), struct error *error)
{
    DIR *directory = handle >= 0 ? fdopendir(handle) : NULL;
    if (!directory) {
        error_errno(error, "cannot list the directory %s", path);
        if (handle >= 0)
            close(handle);
        return false;
    }
    bool ok = true;
    const struct dirent *entry;
    for (errno = 0; ok && (entry = readdir(directory)); errno = 0)
        ok = is_passed_over(entry->d_name) || add(files, entry->d_name, error);
    if (ok && errno != 0)
        ok = error_errno(error, "cannot list the directory %s", path);
    closedir(directory);
    return ok;
}

/* Whether it can stand in a checkpoint. */
static bool is_text(const char *name)
{
    uint32_t character;
    for (size_t length = strlen(name), step; length > 0; name += step, length -= step)
        if ((step = utf8_decode(name, length, &character)) == 0)
            return false;
    return true;
}

static bool add_class(struct folder_files *files, const char *name, struct error *error)
{
    struct stat info;
    const struct directory *directory = &files->directory;
    if (fstatat(directory->handle, name, &info, 0))
        return error_errno(error, "cannot look at %s/%s", directory->path, name);
    if (!S_ISDIR(info.st_mode))
        return !is_called_image(name) ||
               error_set(error, ERROR_USAGE,
                         "%s/%s is an image beside the class directories: each image lies in the directory of its "
                         "class, as in %s/cat/%s",
                         directory->path, name, directory->path, name);
    if (!is_text(name))
        return error_set(error, ERROR_USAGE, "%s/%s is a class whose name is not UTF-8: rename the directory",
                         directory->path, name);
    return categories_add(&files->names, name, strlen(name)) ||
           error_set(error, ERROR_USAGE, "%s holds more than %d directories: so many classes are not possible",
                     directory->path, CATEGORIES_MOST);
}

static bool add_file(struct folder_files *files, const char *name, struct error *error)
{
    (void)error;
    files->files = memory_grow(files->files, files->count, &files->room, sizeof *files->files);
    files->files[files->count++] = (struct folder_file){.name = files->file_names.length};
    text_append_bytes(&files->file_names, name, strlen(name) + 1);
    return true;
}

static int file_by_name(const void *a, const void *b, void *names)
{
    const struct folder_file *one = a, *other = b;
    return strcmp((const char *)names + one->name, (const char *)names + other->name);
}

static void sort_by_name(struct folder_files *files, size_t first)
{
    qsort_r(files->files + first, files->count - first, sizeof *files->files, file_by_name, files->file_names.bytes);
}

static bool list_class(struct folder_files *files, size_t class, struct error *error)
{
    struct folder_class *own = &files->classes[class];
    struct text path;
    text_init(&path);
    text_append(&path, "%s/%s", files->directory.path, files->names.names[class]);
    size_t first = files->count;
    int handle = openat(files->directory.handle, files->names.names[class], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = list(files, handle, text_bytes(&path), add_file, error);
    text_release(&path);
    if (!ok)
        return false;
    own->label = class;
    own->count = files->count - first;
    if (own->count == 0)
        return true;
    sort_by_name(files, first);
    struct folder_file *of = files->files + first;
    uint64_t key = rng_key(0, "folder");
    for (size_t i = 0; i < own->count; i++) {
        of[i].class = (uint32_t) class;
        of[i].turn = (uint32_t)rng_permute(key, own->count, i);
    }
    return true;
}

/* By (k + 1/2) / n, those that stand at the same place in the order of their classes. */
static int by_place(const void *a, const void *b, void *classes)
{
    const struct folder_file *one = a, *other = b;
    const struct folder_class *of = classes;
    uint64_t left = (2 * (uint64_t)one->turn + 1) * of[other->class].count;
    uint64_t right = (2 * (uint64_t)other->turn + 1) * of[one->class].count;
    if (left != right)
        return left < right ? -1 : 1;
    return (one->class > other->class) - (one->class < other->class);
}

/* Says what the file is. An image lies well, one directory too deep. */
static bool refuse_file(const char *path, bool is_regular, struct error *error)
{
    uint8_t *begin = memory_need(CONTENT_PEEK, 1);
    size_t count;
    struct error ignored;
    const char *known = NULL;
    if (is_regular && content_peek(path, begin, CONTENT_PEEK, &count, &ignored))
        known = image_knows(begin, count) ? "an image" : content_seems(path, begin, count);
    error_set(error, ERROR_USAGE,
              "%s is not a directory%s%s%s give the path of one that holds a directory of images for each class", path,
              known ? ", but " : "", known ? known : "", known ? "; or" : ":");
    memory_free(begin);
    return false;
}

static bool open_directory(struct folder_files *files, const char *path, struct error *error)
{
    if (directory_open(&files->directory, path, error))
        return true;
    struct stat info;
    bool is_file = stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
    return is_file ? refuse_file(path, S_ISREG(info.st_mode), error) : false;
}

static bool check_count(const struct folder_files *files, struct error *error)
{
    return files->count <= INT32_MAX || error_set(error, ERROR_USAGE, "%s holds %zu files, more than can be numbered",
                                                  files->directory.path, files->count);
}

static bool list_all(struct folder_files *files, const char *path, struct error *error)
{
    if (!list(files, fcntl(files->directory.handle, F_DUPFD_CLOEXEC, 0), path, add_class, error))
        return false;
    if (files->names.count == 0)
        return error_set(error, ERROR_USAGE,
                         "%s holds no directories: each image lies in a directory that has the name of its class",
                         path);
    files->classes = memory_need(files->names.count, sizeof *files->classes);
    for (size_t i = 0; i < files->names.count; i++)
        if (!list_class(files, i, error))
            return false;
    if (files->count == 0)
        return error_set(error, ERROR_USAGE, "%s holds no images: there is none in any of its %zu directories", path,
                         files->names.count);
    if (!check_count(files, error))
        return false;
    qsort_r(files->files, files->count, sizeof *files->files, by_place, files->classes);
    return true;
}

bool folder_files_open(struct folder_files *files, const char *path, struct error *error)
{
    *files = (struct folder_files){0};
    directory_init(&files->directory);
    if (open_directory(files, path, error) && list_all(files, path, error))
        return true;
    folder_files_close(files);
    return false;
}

/* The file alone, in its directory. */
static bool open_file(struct folder_files *files, const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    struct text directory;
    text_init(&directory);
    if (slash)
        text_append_bytes(&directory, path, (size_t)(slash - path) + 1);
    else
        text_append(&directory, ".");
    bool ok = directory_open(&files->directory, text_bytes(&directory), error);
    text_release(&directory);
    return ok && add_file(files, slash ? slash + 1 : path, error);
}

static bool open_images(struct folder_files *files, const char *path, struct error *error)
{
    struct stat info;
    if (stat(path, &info))
        return error_errno(error, "cannot look at %s", path);
    if (!S_ISDIR(info.st_mode))
        return open_file(files, path, error);
    if (!directory_open(&files->directory, path, error) ||
        !list(files, fcntl(files->directory.handle, F_DUPFD_CLOEXEC, 0), path, add_file, error))
        return false;
    if (files->count == 0)
        return error_set(error, ERROR_USAGE, "%s holds no images", path);
    sort_by_name(files, 0);
    return check_count(files, error);
}

bool folder_files_open_images(struct folder_files *files, const char *path, struct error *error)
{
    *files = (struct folder_files){.classes = memory_need(1, sizeof *files->classes)};
    directory_init(&files->directory);
    if (open_images(files, path, error))
        return true;
    folder_files_close(files);
    return false;
}

void folder_files_close(struct folder_files *files)
{
    categories_release(&files->names);
    memory_free(files->classes);
    memory_free(files->files);
    text_release(&files->file_names);
    directory_close(&files->directory);
    *files = (struct folder_files){.directory.handle = -1};
}

/* What leads to the file from the directory. */
static void append_below(const struct folder_files *files, size_t index, struct text *path)
{
    const struct folder_file *file = &files->files[index];
    if (files->names.count > 0)
        text_append(path, "%s/", files->names.names[file->class]);
    text_append(path, "%s", files->file_names.bytes + file->name);
}

char *folder_files_path(const struct folder_files *files, size_t index)
{
    const char *directory = files->directory.path;
    struct text path;
    text_init(&path);
    if (files->names.count > 0 || strcmp(directory, ".") != 0)
        text_append(&path, "%s%s", directory, directory[strlen(directory) - 1] == '/' ? "" : "/");
    append_below(files, index, &path);
    char *copy = memory_text(text_bytes(&path));
    text_release(&path);
    return copy;
}

/* ---- reading ---- */

static bool make_room(struct folder_bytes *into, size_t room, const char *path, struct error *error)
{
    if (into->room >= room)
        return true;
    memory_free(into->bytes);
    into->room = 0;
    into->bytes = memory_alloc(room, 1, path, error);
    into->room = into->bytes ? room : 0;
    return into->bytes;
}

static bool holds_image(const char *path)
{
    DIR *directory = opendir(path);
    bool found = false;
    const struct dirent *entry;
    while (directory && !found && (entry = readdir(directory)))
        found = is_called_image(entry->d_name);
    if (directory)
        closedir(directory);
    return found;
}

/* A directory where a file should be: if it looks like the directory of a class, the one that was meant is above. */
static bool refuse_deeper(const char *path, struct error *error)
{
    struct text meant, train, words;
    struct stat info;
    text_init(&words);
    text_init(&meant);
    text_init(&train);
    const char *class = strrchr(path, '/');
    text_append(&meant, "%.*s", class ? (int)(class - path) : 0, path);
    const char *part = strrchr(text_bytes(&meant), '/');
    if (part)
        text_append(&train, "%.*s/train", (int)(part - text_bytes(&meant)), text_bytes(&meant));
    bool has_train = part && stat(text_bytes(&train), &info) == 0 && S_ISDIR(info.st_mode);
    if (meant.length > 0 && holds_image(path))
        text_append(&words, "; did you mean %s, with a directory for each class?",
                    text_bytes(has_train ? &train : &meant));
    error_set(error, ERROR_USAGE, "%s is not a file: images lie directly in the directory of their class%s", path,
              text_bytes(&words));
    text_release(&words);
    text_release(&train);
    text_release(&meant);
    return false;
}

static bool load(int descriptor, const char *path, bool has_classes, struct folder_bytes *into, struct error *error)
{
    struct stat info;
    if (fstat(descriptor, &info))
        return error_errno(error, "cannot look at %s", path);
    if (S_ISDIR(info.st_mode) && has_classes)
        return refuse_deeper(path, error);
    if (S_ISDIR(info.st_mode))
        return error_set(error, ERROR_USAGE,
                         "%s is not a file: images lie directly in their directory; of several directories each is "
                         "named, as by %.*s*",
                         path, (int)(strrchr(path, '/') ? strrchr(path, '/') + 1 - path : 0), path);
    if (!S_ISREG(info.st_mode))
        return error_set(error, ERROR_USAGE, "%s is not a file: images lie directly in %s", path,
                         has_classes ? "the directory of their class" : "their directory");
    size_t size = (size_t)info.st_size;
    if (size > FILE_MOST)
        return error_set(error, ERROR_USAGE, "%s has %zu bytes: an image file has at most %zu", path, size, FILE_MOST);
    if (!make_room(into, size + 1, path, error))
        return false;
    ssize_t got = file_read_at(descriptor, into->bytes, size + 1, 0);
    if (got < 0)
        return error_errno(error, "cannot read %s", path);
    into->count = (size_t)got;
    return true;
}

/* The file that has this path, and its digest. */
static bool take(const struct folder_files *files, size_t index, const char *path, struct folder_bytes *into,
                 uint64_t *digest, struct error *error)
{
    struct text below;
    text_init(&below);
    append_below(files, index, &below);
    int descriptor = openat(files->directory.handle, text_bytes(&below), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    text_release(&below);
    if (descriptor < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = load(descriptor, path, files->names.count > 0, into, error);
    close(descriptor);
    if (ok)
        *digest = digest_bytes(into->bytes, into->count);
    return ok;
}

bool folder_files_prove(struct folder_files *files, size_t index, struct folder_bytes *into, struct error *error)
{
    struct folder_file *file = &files->files[index];
    char *path = folder_files_path(files, index);
    bool ok = take(files, index, path, into, &file->digest, error);
    memory_free(path);
    return ok;
}

bool folder_files_read(const struct folder_files *files, size_t index, struct folder_bytes *into, struct error *error)
{
    const struct folder_file *file = &files->files[index];
    char *path = folder_files_path(files, index);
    uint64_t digest = 0;
    bool ok = take(files, index, path, into, &digest, error);
    if (ok && digest != file->digest)
        ok = error_set(error, ERROR_CORRUPT,
                       "%s was changed while it was in use: it has other content than at the start", path);
    memory_free(path);
    return ok;
}
