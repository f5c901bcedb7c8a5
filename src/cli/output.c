#include "cli/output.h"

#include "checkpoint/seal.h"

#include <sys/stat.h>

bool output_check(const char *output, const char *input, bool force, struct error *error)
{
    struct stat in, out;
    if (lstat(output, &out)) /* a link is replaced, not followed, and one that leads nowhere is there all the same */
        return true;
    if (stat(input, &in) == 0 && stat(output, &out) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
        return error_set(error, ERROR_USAGE, "%s is the file that is to be read: choose another --output", output);
    if (seal_is_ours(output))
        return error_set(error, ERROR_USAGE, "%s is a checkpoint: choose another --output", output);
    return force ||
           error_set(error, ERROR_USAGE, "%s exists: choose another --output, or replace it with --force", output);
}
