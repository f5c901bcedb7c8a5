#include "use/joint_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *hide(const char *path)
{
    struct text hidden;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    text_init(&hidden);
    text_append(&hidden, "%.*s.%s.partial", (int)(name - path), path, name);
    return hidden.bytes;
}

/* Local, rank 0. The file stays open: what the others open has to be this one. */
static bool lay_out(struct joint_file *file, const struct joint_layout *layout, struct error *error)
{
    uint64_t bytes = 0;
    if (!file_open(file->hidden, FILE_NEW, &file->descriptor, error)) {
        file->descriptor = -1;
        return error_prefix(error, "%s: ", file->path);
    }
    return layout->make(layout->context, file->descriptor, file->hidden, &bytes, error) &&
           file_reserve(file->hidden, bytes, error);
}

/* Local. The number by which a file system knows an open file; 0: it does not tell. */
static uint64_t number_of(int descriptor)
{
    struct stat info;
    return descriptor >= 0 && fstat(descriptor, &info) == 0 ? info.st_ino : 0;
}

/* Local, all but rank 0. */
static bool open_laid_out(struct joint_file *file, uint64_t number, struct error *error)
{
    if (!file_open(file->hidden, FILE_CHANGE, &file->descriptor, error)) {
        file->descriptor = -1;
        return error_prefix(error, "%s: ", file->path);
    }
    return number_of(file->descriptor) == number ||
           error_set(error, ERROR_IO, "%s: another file has this name here than on rank 0: is it at work twice?",
                     file->hidden);
}

bool joint_file_begin(struct joint_file *file, const struct world *world, const char *path,
                      const struct joint_layout *layout, struct error *error)
{
    bool is_root = world->rank == 0;
    *file = (struct joint_file){.path = path, .hidden = hide(path), .descriptor = -1};
    if (!world_agree(world, !is_root || lay_out(file, layout, error), error))
        return false;
    uint64_t number = world_share_number(world, number_of(file->descriptor));
    return world_agree(world, is_root || open_laid_out(file, number, error), error);
}

bool joint_file_write(const struct joint_file *file, const void *bytes, size_t count, uint64_t offset,
                      struct error *error)
{
    return file_write_at(file->descriptor, bytes, count, offset) || error_errno(error, "cannot write %s", file->path);
}

/* Local. What this rank has written is on disk. */
static bool finish(struct joint_file *file, struct error *error)
{
    bool ok = fsync(file->descriptor) == 0;
    ok = file_close(file->descriptor) && ok;
    file->descriptor = -1;
    return ok || error_errno(error, "cannot write %s", file->path);
}

/* Local, rank 0. */
static bool publish(struct joint_file *file, struct error *error)
{
    if (!file_sync(file->hidden, error) || !file_rename(file->hidden, file->path, error))
        return false;
    memory_free(file->hidden);
    file->hidden = NULL;
    return file_sync_parent(file->path, error);
}

bool joint_file_commit(struct joint_file *file, const struct world *world, struct error *error)
{
    return world_agree(world, finish(file, error), error) &&
           world_agree(world, world->rank != 0 || publish(file, error), error);
}

void joint_file_release(struct joint_file *file, const struct world *world)
{
    if (file->hidden && file->descriptor >= 0)
        close(file->descriptor);
    if (file->hidden && world->rank == 0)
        unlink(file->hidden);
    memory_free(file->hidden);
    *file = (struct joint_file){.descriptor = -1};
}
