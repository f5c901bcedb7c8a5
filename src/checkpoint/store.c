#include "checkpoint/store.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool store_init(struct store *store, const char *run, uint64_t token, struct error *error)
{
    int length = snprintf(store->directory, sizeof store->directory, "%s/checkpoints", run);
    striping_init(&store->striping);
    snprintf(store->token, sizeof store->token, "%016" PRIx64, token);
    return length < (int)sizeof store->directory || error_set(error, ERROR_USAGE, "run: path too long: %s", run);
}

void store_path(const struct store *store, uint64_t step, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/step-%012" PRIu64 ".h5", store->directory, step);
}

static void hidden_path(const struct store *store, uint64_t step, const char *end, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/.step-%012" PRIu64 ".h5.%s.%s", store->directory, step, store->token, end);
}

void store_partial_path(const struct store *store, uint64_t step, char path[PATH_MAX])
{
    hidden_path(store, step, "partial", path);
}

/* The step in a final name; false for every other name. */
static bool parse_name(const char *name, uint64_t *step)
{
    int used = 0;
    char again[64];
    if (sscanf(name, "step-%" SCNu64 ".h5%n", step, &used) != 1 || used == 0 || name[used])
        return false;
    snprintf(again, sizeof again, "step-%012" PRIu64 ".h5", *step);
    return strcmp(again, name) == 0;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

bool store_list(const struct store *store, uint64_t **steps, size_t *count, struct error *error)
{
    size_t capacity = 0;
    *count = 0;
    *steps = NULL;
    DIR *directory = opendir(store->directory);
    if (!directory && errno == ENOENT)
        return true;
    if (!directory)
        return error_errno(error, "cannot read the directory %s", store->directory);
    for (struct dirent *entry; errno = 0, (entry = readdir(directory));) {
        uint64_t step;
        if (!parse_name(entry->d_name, &step))
            continue;
        *steps = memory_grow(*steps, *count, &capacity, sizeof **steps);
        (*steps)[(*count)++] = step;
    }
    /* Half a list would look like fewer checkpoints, or like none. */
    bool ok = errno == 0 || error_errno(error, "cannot read the directory %s", store->directory);
    closedir(directory);
    if (!ok) {
        memory_free(*steps);
        *steps = NULL;
        return false;
    }
    if (*count > 1)
        qsort(*steps, *count, sizeof **steps, newest_first);
    return true;
}

bool store_publish(const struct store *store, uint64_t step, struct error *error)
{
    char partial[PATH_MAX], path[PATH_MAX];
    store_partial_path(store, step, partial);
    store_path(store, step, path);
    if (rename(partial, path))
        return error_errno(error, "cannot rename %s to %s", partial, path);
    fault_at(FAULT_RENAMED, step);
    return file_sync_parent(path, error);
}

/* Takes a checkpoint out of sight, durably, and then deletes it: at no moment is there a file with a final name that is
 * not whole. */
static bool take_away(const struct store *store, uint64_t step, uint64_t at_step, struct error *error)
{
    char path[PATH_MAX], hidden[PATH_MAX];
    store_path(store, step, path);
    hidden_path(store, step, "deleted", hidden);
    if (rename(path, hidden))
        return error_errno(error, "cannot unpublish %s", path);
    if (!file_sync_parent(path, error))
        return false;
    fault_at(FAULT_UNPUBLISHED, at_step);
    return unlink(hidden) == 0 || error_errno(error, "cannot delete %s", hidden);
}

/* Takes away the checkpoints up to `newest` but for the `keep` newest of them, and that of step `best`. */
static bool reduce_to(const struct store *store, uint64_t newest, size_t keep, uint64_t best, struct error *error)
{
    uint64_t *steps;
    size_t count;
    if (!store_list(store, &steps, &count, error))
        return false;
    bool ok = true;
    for (size_t i = 0, kept = 0; ok && i < count; i++)
        if (steps[i] <= newest && kept++ >= keep && (best == 0 || steps[i] != best))
            ok = take_away(store, steps[i], newest, error);
    memory_free(steps);
    return ok;
}

bool store_reject(const struct store *store, uint64_t step, struct error *error)
{
    char path[PATH_MAX], rejected[PATH_MAX + 16];
    store_path(store, step, path);
    snprintf(rejected, sizeof rejected, "%s.rejected", path);
    if (rename(path, rejected))
        return error_errno(error, "cannot rename %s", path);
    return file_sync_parent(path, error);
}

bool store_prune(const struct store *store, uint64_t newest, size_t keep, uint64_t best, struct error *error)
{
    return reduce_to(store, newest, keep, best, error);
}

bool store_clear(const struct store *store, struct error *error)
{
    return reduce_to(store, UINT64_MAX, 0, 0, error);
}

/* Only names that lockstep, or MPI-IO on its behalf, gives to hidden files. */
static bool is_leftover(const char *name)
{
    return strncmp(name, ".step-", 6) == 0 && (strstr(name, ".h5.") != NULL) &&
           (strstr(name, ".partial") || strstr(name, ".deleted"));
}

void store_sweep(const struct store *store)
{
    DIR *directory = opendir(store->directory);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (is_leftover(entry->d_name))
            unlinkat(dirfd(directory), entry->d_name, 0); /* if it stays, it stays: it is in nobody's way */
    closedir(directory);
}
