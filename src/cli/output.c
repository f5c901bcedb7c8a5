#include "cli/output.h"

#include "base/pattern.h"
#include "checkpoint/seal.h"

#include <sys/stat.h>

/* Whether the output is none of the files that are read by this path, or pattern. */
static bool is_other(const char *output, const struct stat *out, const char *input, struct error *error)
{
    struct pattern pattern;
    struct stat in;
    struct error ignored;
    bool ok = true;
    if (!pattern_find(&pattern, input, &ignored)) /* what is not there is no output either */
        return true;
    for (size_t i = 0; ok && i < pattern.count; i++)
        ok = stat(pattern.paths[i], &in) || in.st_dev != out->st_dev || in.st_ino != out->st_ino;
    pattern_release(&pattern);
    return ok || error_set(error, ERROR_USAGE, "%s is the file that is to be read: choose another -o", output);
}

bool output_check(const char *output, const char *const *inputs, bool force, struct error *error)
{
    struct stat out;
    if (lstat(output, &out)) /* a link is replaced, not followed, and one that leads nowhere is there all the same */
        return true;
    if (S_ISDIR(out.st_mode))
        return error_set(error, ERROR_USAGE, "%s is a directory: choose another -o", output);
    if (stat(output, &out) == 0)
        for (; *inputs; inputs++)
            if (!is_other(output, &out, *inputs, error))
                return false;
    if (seal_is_ours(output))
        return error_set(error, ERROR_USAGE, "%s is a checkpoint: choose another -o", output);
    return force ||
           error_set(error, ERROR_USAGE, "%s exists: choose another -o, or replace it with --force", output);
}

bool output_check_data(const char *output, const struct dataset_spec *data, struct error *error)
{
    struct option_keys keys;
    struct stat out;
    bool ok = true;
    option_keys_of(dataset_rows, (struct dataset_spec *)data, &keys);
    for (size_t k = 0; stat(output, &out) == 0 && ok && k < keys.count; k++)
        ok = !option_input(&keys.keys[k]) || is_other(output, &out, option_input(&keys.keys[k]), error);
    return ok;
}
