/* Of base/file alone: a name in a directory that is held open, so that whatever is done with it is done in one place.
 */
#ifndef BASE_FILE_PLACE_H
#define BASE_FILE_PLACE_H

#include "base/file.h"

#include <sys/stat.h>
#include <sys/types.h>

struct file_place {
    int directory;
    const char *name; /* the last part of the path, borrowed */
    bool syncs;       /* the handle of a directory that cannot be read cannot be synced */
};

/* Local. The place of a path; what has the name is not looked at. */
bool file_find_place(const char *path, struct file_place *place, struct error *error) WARN_UNUSED;
void file_leave_place(struct file_place *place);

/* Local. Makes the names in the directory durable, if its file system has that. */
bool file_sync_place(const struct file_place *place, const char *path, struct error *error) WARN_UNUSED;

/* Local. As file_open; -1 after failure. `path` is for words. */
int file_open_place(const struct file_place *place, const char *path, enum file_use use, struct error *error);

/* Local. The place of the last part of a path in a directory that is held; it stays the caller's. */
bool file_place_in(int directory, const char *path, struct file_place *place, struct error *error) WARN_UNUSED;

/* Local. Whether what has been opened may be taken for ours: this user's, root's, of the owner of the directory. */
bool file_is_ours(const struct stat *info, const struct stat *above);

/* Local. openat, asked again where a signal or a server's stale answer came between. -1: errno says why. */
int file_open_at(int directory, const char *name, int flags, mode_t mode);

/* Local. As file_rename; errno says why not. */
bool file_rename_at(int from, const char *name, int directory, const char *to);

#endif
