#include "cli/locate.h"

#include "base/memory.h"
#include "checkpoint/store.h"

#include <stdio.h>
#include <sys/stat.h>

bool locate_checkpoint(const char *word, char path[PATH_MAX], struct error *error)
{
    struct stat info;
    struct store store;
    uint64_t *steps;
    size_t count;
    if (stat(word, &info) || !S_ISDIR(info.st_mode))
        return snprintf(path, PATH_MAX, "%s", word) < PATH_MAX ||
               error_set(error, ERROR_USAGE, "path too long: %s", word);
    if (!store_init(&store, word, 0, error) || !store_list(&store, &steps, &count, error))
        return false;
    if (count > 0)
        store_path(&store, steps[0], path);
    memory_free(steps);
    return count > 0 || error_set(error, ERROR_NOT_FOUND,
                                  "%s is a directory, and there are no checkpoints in %s: name a checkpoint file or a "
                                  "run directory",
                                  word, store.directory);
}
