#include "checkpoint/pin.h"

#include "base/file.h"
#include "checkpoint/seal.h"
#include "checkpoint/store_name.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name that does not fit is cut, and then no file has it. */
static void marker_of(const char *checkpoint, char marker[PATH_MAX])
{
    snprintf(marker, PATH_MAX, "%s.pinned", checkpoint);
}

bool pin_exists(const char *checkpoint)
{
    char marker[PATH_MAX];
    marker_of(checkpoint, marker);
    return access(marker, F_OK) == 0;
}

/* Whether there is something to pin. A job may take it away at any moment: that it is gone is asked last. */
static bool check_checkpoint(const char *checkpoint, struct error *error)
{
    uint64_t step;
    bool is_name = store_is_name(checkpoint, &step), is_ours = seal_is_ours(checkpoint);
    if (access(checkpoint, R_OK))
        return error_errno(error, "cannot open %s", checkpoint);
    if (!is_name)
        return error_set(error, ERROR_USAGE,
                         "%s: only a checkpoint in a run directory can be pinned (RUN/checkpoints/step-....h5); no "
                         "other file is ever taken away",
                         checkpoint);
    return is_ours || error_set(error, ERROR_USAGE, "%s: not a lockstep checkpoint", checkpoint);
}

/* Whether it is one of ours: an empty file. */
static bool is_marker(const char *marker)
{
    struct stat info;
    return lstat(marker, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0;
}

bool pin_add(const char *checkpoint, struct error *error)
{
    char marker[PATH_MAX];
    marker_of(checkpoint, marker);
    if (!check_checkpoint(checkpoint, error))
        return false;
    int fd;
    if (!file_open(marker, FILE_MARK, &fd, error)) {
        bool exists = error->kind == ERROR_BUSY; /* it may be from a pin that did not come so far */
        if (exists && !is_marker(marker))
            return error_set(error, ERROR_USAGE,
                             "%s is not an empty file, as a pin's marker is: remove it, then pin again", marker);
        return exists && file_sync_parent(marker, error);
    }
    close(fd);
    bool ok = file_sync_parent(marker, error) && check_checkpoint(checkpoint, error);
    if (!ok)
        unlink(marker);
    return ok;
}

bool pin_remove(const char *checkpoint, struct error *error)
{
    char marker[PATH_MAX];
    marker_of(checkpoint, marker);
    if (is_marker(marker) && unlink(marker) == 0)
        return file_sync_parent(marker, error);
    if (access(marker, F_OK) == 0)
        return error_set(error, ERROR_USAGE, "%s is not an empty file, as a pin's marker is: it stays", marker);
    if (access(checkpoint, F_OK) == 0)
        return error_set(error, ERROR_USAGE, "%s: it was not pinned", checkpoint);
    return error_errno(error, "cannot unpin %s", checkpoint);
}

void pin_drop(const char *checkpoint)
{
    char marker[PATH_MAX];
    marker_of(checkpoint, marker);
    if (is_marker(marker))
        unlink(marker);
}
