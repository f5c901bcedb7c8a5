#include "use/joint_file.h"

#include "base/file.h"

/* Local, rank 0. The file stays open: what the others open has to be this one, and what gets the name. */
static bool lay_out(struct joint_file *file, const struct joint_layout *layout, uint64_t *token, struct error *error)
{
    uint64_t bytes = 0;
    return hidden_file_make(&file->hidden, file->path, token, error) &&
           layout->make(layout->context, file->hidden.descriptor, file->hidden.path, &bytes, error) &&
           file_reserve(file->hidden.path, bytes, error);
}

bool joint_file_begin(struct joint_file *file, const struct world *world, const char *path,
                      const struct joint_layout *layout, struct error *error)
{
    bool is_root = world->rank == 0;
    uint64_t token = 0;
    *file = (struct joint_file){.path = path, .hidden.descriptor = -1};
    if (!world_agree(world, !is_root || lay_out(file, layout, &token, error), error))
        return false;
    token = world_share_number(world, token);
    uint64_t number = world_share_number(world, hidden_file_number(&file->hidden));
    return world_agree(world, is_root || hidden_file_join(&file->hidden, path, token, number, error), error);
}

bool joint_file_write(const struct joint_file *file, const void *bytes, size_t count, uint64_t offset,
                      struct error *error)
{
    return file_write_at(file->hidden.descriptor, bytes, count, offset) ||
           error_errno(error, "cannot write %s", file->path);
}

/* Local. What this rank has written is on disk; all but rank 0 close it, since a network may tell only then that it
 * is not. */
static bool finish(struct joint_file *file, const struct world *world, struct error *error)
{
    bool ok = hidden_file_sync(&file->hidden, file->path, error);
    if (world->rank == 0)
        return ok;
    bool closed = file_close(file->hidden.descriptor);
    file->hidden.descriptor = -1;
    return ok && (closed || error_errno(error, "cannot write %s", file->path));
}

bool joint_file_commit(struct joint_file *file, const struct world *world, struct error *error)
{
    return world_agree(world, finish(file, world, error), error) &&
           world_agree(world, world->rank != 0 || hidden_file_publish(&file->hidden, file->path, error), error);
}

void joint_file_release(struct joint_file *file, const struct world *world)
{
    hidden_file_release(&file->hidden, world->rank == 0);
    *file = (struct joint_file){.hidden.descriptor = -1};
}
