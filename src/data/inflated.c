#include "data/inflated.h"

#include "base/memory.h"
#include "base/pattern.h"
#include "data/inflate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- for others ---- */

static struct inflated_file identity(const struct stat *info)
{
    return (struct inflated_file){.device = info->st_dev,
                                  .inode = info->st_ino,
                                  .bytes = (uint64_t)info->st_size,
                                  .written_ns = (uint64_t)info->st_mtim.tv_sec * 1000000000 +
                                                (uint64_t)info->st_mtim.tv_nsec};
}

static const struct inflated_file *find(const struct inflated_table *table, const struct stat *info)
{
    const struct inflated_file is = identity(info);
    for (size_t i = 0; table && i < table->count; i++) {
        const struct inflated_file *file = &table->files[i];
        if (file->device == is.device && file->inode == is.inode && file->bytes == is.bytes &&
            file->written_ns == is.written_ns)
            return file;
    }
    return NULL;
}

/* Whether gzip has made it; nobody waits for a pipe. */
static bool look(const char *path, struct stat *info)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool is_gzip = fstat(fd, info) == 0 && S_ISREG(info->st_mode) && inflate_is_gzip(fd);
    close(fd);
    return is_gzip;
}

/* Into memory that nobody can write to any more, so that it is what it was for all. */
static bool inflate(struct inflated_file *file, const char *path)
{
    struct error ignored;
    struct stat memory;
    size_t count;
    file->process = (int32_t)getpid();
    file->descriptor = memfd_create("lockstep-inflated", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file->descriptor < 0)
        return false;
    bool ok = inflate_into(path, file->descriptor, &count, &ignored) && fstat(file->descriptor, &memory) == 0 &&
              (size_t)memory.st_size == count + 1 &&
              fcntl(file->descriptor, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
    if (!ok) {
        close(file->descriptor);
        return false;
    }
    file->count = count;
    file->memory_device = memory.st_dev;
    file->memory_inode = memory.st_ino;
    return true;
}

static void add(struct inflated_table *table, const char *path)
{
    struct stat info;
    if (!look(path, &info) || find(table, &info))
        return;
    struct inflated_file file = identity(&info);
    if (!inflate(&file, path))
        return;
    struct inflated_file *files = memory_need(table->count + 1, sizeof *files);
    if (table->count > 0)
        memcpy(files, table->files, table->count * sizeof *files);
    files[table->count++] = file;
    memory_free(table->files);
    table->files = files;
}

void inflated_add(struct inflated_table *table, const char *path)
{
    struct pattern pattern;
    struct error ignored;
    if (!pattern_find(&pattern, path, &ignored))
        return;
    for (size_t i = 0; i < pattern.count; i++)
        add(table, pattern.paths[i]);
    pattern_release(&pattern);
}

uint64_t inflated_packed(const char *path)
{
    struct pattern pattern;
    struct error ignored;
    struct stat info;
    uint64_t bytes = 0;
    if (!pattern_find(&pattern, path, &ignored))
        return 0;
    for (size_t i = 0; i < pattern.count; i++)
        bytes += look(pattern.paths[i], &info) ? (uint64_t)info.st_size : 0;
    pattern_release(&pattern);
    return bytes;
}

void inflated_hide(struct inflated_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        close(table->files[i].descriptor);
}

void inflated_release(struct inflated_table *table)
{
    memory_free(table->files);
    *table = (struct inflated_table){0};
}

/* ---- from others ---- */

/* In another container a number may be that of another process, which shows something else: it has to be the very
 * memory. */
static bool map(struct inflated *inflated, const struct inflated_file *file)
{
    char name[64];
    struct stat info;
    snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)file->process, (int)file->descriptor);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool is_it = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_dev == file->memory_device &&
                 info.st_ino == file->memory_inode && (uint64_t)info.st_size == file->count + 1;
    void *bytes = is_it ? mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    *inflated = (struct inflated){bytes, (size_t)file->count, true};
    return true;
}

bool inflated_open(struct inflated *inflated, const char *path, const struct stat *info,
                   const struct inflated_table *table, struct error *error)
{
    const struct inflated_file *file = find(table, info);
    *inflated = (struct inflated){0};
    return (file && map(inflated, file)) || inflate_file(path, &inflated->bytes, &inflated->count, error);
}

void inflated_close(struct inflated *inflated)
{
    if (inflated->is_shared)
        munmap(inflated->bytes, inflated->count + 1);
    else
        free(inflated->bytes);
    *inflated = (struct inflated){0};
}
