/* A new file that all ranks write, each its part: one of them lays it out, and takes the room for all of it, before
 * anybody writes; it is hidden until it is whole and on disk. */
#ifndef USE_JOINT_FILE_H
#define USE_JOINT_FILE_H

#include "base/hidden_file.h"
#include "parallel/world.h"

struct joint_file {
    const char *path; /* borrowed */
    struct hidden_file hidden;
};

/* What writes the beginning of the file, and says how long it will be in all. Rank 0. */
struct joint_layout {
    bool (*make)(void *context, int descriptor, const char *hidden, uint64_t *bytes, struct error *error);
    void *context;
};

/* Collective over world; path must be equal on every rank. Lays the hidden file out and reserves all of it: a disk that
 * is too full is told here. Release it after failure, too. */
bool joint_file_begin(struct joint_file *file, const struct world *world, const char *path,
                      const struct joint_layout *layout, struct error *error) WARN_UNUSED;

/* Local. */
bool joint_file_write(const struct joint_file *file, const void *bytes, size_t count, uint64_t offset,
                      struct error *error) WARN_UNUSED;

/* Collective over world. Each rank brings what it has written to disk; then the file gets its name, over what has had
 * it. After failure it has none; but if only the last sync, of the directory, fails, it stays under its name, whole,
 * and the error says so. */
bool joint_file_commit(struct joint_file *file, const struct world *world, struct error *error) WARN_UNUSED;

/* Collective over world. Accepts a released one, or one that is all 0; without a commit nothing stays. What a job that
 * was killed leaves, the next one tells (base/hidden_file.h). */
void joint_file_release(struct joint_file *file, const struct world *world);

#endif
