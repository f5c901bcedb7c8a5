#include "checkpoint/store.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/timeline.h"
#include "checkpoint/pin.h"
#include "checkpoint/seal.h"
#include "checkpoint/store_name.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKPOINTS "checkpoints" /* in the run directory */
#define PROOF       ".proof."     /* then a rank: a file that only shows that it can be written */

bool store_init(struct store *store, const char *run, uint64_t token, struct error *error)
{
    int length = snprintf(store->directory, sizeof store->directory, "%s/" CHECKPOINTS, run);
    store->run = NULL;
    store->moved[0] = '\0';
    striping_init(&store->striping);
    snprintf(store->token, sizeof store->token, "%016" PRIx64, token);
    return length < (int)sizeof store->directory || error_set(error, ERROR_USAGE, "run: path too long: %s", run);
}

/* Its path of today. */
static const char *place_of(const struct store *store)
{
    return *store->moved ? store->moved : store->directory;
}

void store_path(const struct store *store, uint64_t step, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/step-%012" PRIu64 ".h5", place_of(store), step);
}

void store_rejected_path(const struct store *store, uint64_t step, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/step-%012" PRIu64 ".h5.rejected", place_of(store), step);
}

void store_partial_path(const struct store *store, uint64_t step, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/.step-%012" PRIu64 ".h5.%s.partial", place_of(store), step, store->token);
}

void store_deleted_path(const struct store *store, uint64_t step, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/.step-%012" PRIu64 ".h5.%s.deleted", place_of(store), step, store->token);
}

uint64_t store_free_bytes(const struct store *store)
{
    return file_free_bytes(place_of(store));
}

bool store_takes_files(const struct store *store, int rank)
{
    char path[PATH_MAX];
    struct error error;
    snprintf(path, sizeof path, "%s/" PROOF "%d", place_of(store), rank);
    return file_replace(path, path, strlen(path), &error) && file_remove(path, &error);
}

void store_plain_name(const struct store *store, const char *path, char name[PATH_MAX])
{
    char run[64];
    const char *slash = strrchr(path, '/');
    snprintf(name, PATH_MAX, "%s", path);
    if (!store->run || !slash || !strchr(path, ':'))
        return;
    directory_name(store->run, run);
    if (access(run, F_OK) == 0)
        snprintf(name, PATH_MAX, "%s/" CHECKPOINTS "%s", run, slash);
}

/* Of the checkpoints in the run that is held, wherever that is. */
static void name_held(const struct store *store, char name[STORE_MOVED])
{
    char run[64];
    directory_name(store->run, run);
    snprintf(name, STORE_MOVED, "%.40s/" CHECKPOINTS, run);
}

void store_follow(struct store *store)
{
    struct error error; /* the first call by path has better words */
    enum directory_state state = store->run ? directory_look(store->run) : DIRECTORY_HERE;
    store->moved[0] = '\0';
    if (state == DIRECTORY_GONE && !directory_renew(store->run, &error))
        return;
    if (state != DIRECTORY_MOVED && state != DIRECTORY_AWAY)
        return;
    name_held(store, store->moved);
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* The steps that have a name with `end` behind ".h5", newest first. */
static bool list(const struct store *store, const char *end, uint64_t **steps, size_t *count, struct error *error)
{
    size_t capacity = 0;
    *count = 0;
    *steps = NULL;
    DIR *directory = opendir(place_of(store));
    if (!directory && errno == ENOENT)
        return true;
    if (!directory)
        return error_errno(error, "cannot read the directory %s", store->directory);
    for (struct dirent *entry; errno = 0, (entry = readdir(directory));) {
        uint64_t step;
        const char *rest;
        struct stat info;
        if (!store_name_parse(entry->d_name, &step, &rest) || strcmp(rest, end) != 0)
            continue;
        /* A link that leads nowhere is no file; to fail over it would keep the job from the ones that are there. */
        if (fstatat(dirfd(directory), entry->d_name, &info, 0) && errno == ENOENT)
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

bool store_list(const struct store *store, uint64_t **steps, size_t *count, struct error *error)
{
    return list(store, "", steps, count, error);
}

bool store_list_rejected(const struct store *store, uint64_t **steps, size_t *count, struct error *error)
{
    return list(store, ".rejected", steps, count, error);
}

bool store_reject(const struct store *store, uint64_t step, struct error *error)
{
    char path[PATH_MAX], rejected[PATH_MAX];
    store_path(store, step, path);
    store_rejected_path(store, step, rejected);
    /* What is there may be somebody's, or ours and damaged where that shows: it stays, and the name gets a number. */
    size_t length = strlen(rejected);
    for (unsigned n = 2; access(rejected, F_OK) == 0 && !seal_is_ours(rejected); n++)
        snprintf(rejected + length, sizeof rejected - length, ".%u", n);
    return file_rename(path, rejected, error) && file_sync_parent(path, error);
}

bool store_restore_directory(const struct store *store, struct error *error)
{
    struct stat info;
    const char *place = place_of(store);
    bool absent = lstat(place, &info) != 0 && errno == ENOENT;
    if (!absent)
        return !S_ISLNK(info.st_mode) ||
               error_set(
                   error, ERROR_USAGE,
                   "%s is a symbolic link, and those that lie in a run directory are not followed: let run: be the "
                   "link, or lead there",
                   store->directory);
    char held[STORE_MOVED];
    if (store->run && store->run->handle >= 0) { /* whose path may be away now: it would be made as another run */
        name_held(store, held);
        place = held;
    }
    if (!file_make_directories(place, error))
        return false;
    log_warn("%s was deleted while the job runs, with all checkpoints in it; it has been made again", store->directory);
    return true;
}

bool store_publish(const struct store *store, uint64_t step, struct error *error)
{
    char partial[PATH_MAX], path[PATH_MAX];
    store_partial_path(store, step, partial);
    store_path(store, step, path);
    if (access(path, F_OK) == 0 && !seal_is_ours(path) && !store_reject(store, step, error))
        return false;
    timeline_begin(MARK_RENAME);
    bool ok = file_rename(partial, path, error);
    if (ok)
        fault_at(FAULT_RENAMED, step);
    ok = ok && file_sync_parent(path, error);
    timeline_end();
    return ok;
}

/* The step in a hidden name that lockstep gives (".step-<step>.h5.<16 hexadecimal digits>.partial" or ".deleted"), or
 * MPI-IO on its behalf (another ending behind ".partial"). False for every other name. */
static bool parse_leftover(const char *name, uint64_t *step, bool *deleted)
{
    const char *rest;
    if (*name != '.' || !store_name_parse(name + 1, step, &rest) || *rest != '.' ||
        strspn(rest + 1, "0123456789abcdef") != 16 || rest[17] != '.')
        return false;
    rest += 18;
    size_t partial = strlen("partial");
    *deleted = strcmp(rest, "deleted") == 0;
    return *deleted || (strncmp(rest, "partial", partial) == 0 && (rest[partial] == '\0' || rest[partial] == '.'));
}

/* What cannot be deleted stays: it is in nobody's way. A pinned one that was about to be deleted comes back: the kill
 * came between the two looks (see pin.h). */
static void sweep_hidden(const struct store *store, DIR *directory)
{
    char path[PATH_MAX], hidden[PATH_MAX];
    for (struct dirent *entry; (entry = readdir(directory));) {
        uint64_t step;
        bool deleted;
        struct error error;
        if (strncmp(entry->d_name, PROOF, strlen(PROOF)) == 0)
            unlinkat(dirfd(directory), entry->d_name, 0);
        if (!parse_leftover(entry->d_name, &step, &deleted))
            continue;
        store_path(store, step, path);
        snprintf(hidden, sizeof hidden, "%.*s/%.*s", PATH_MAX - 128, place_of(store), 100, entry->d_name);
        if (!deleted || !pin_exists(path) || access(path, F_OK) == 0 || !file_rename(hidden, path, &error))
            unlinkat(dirfd(directory), entry->d_name, 0);
    }
}

static void sweep_markers(const struct store *store)
{
    char path[PATH_MAX], rejected[PATH_MAX];
    struct error error;
    uint64_t *steps;
    size_t count;
    if (!list(store, ".pinned", &steps, &count, &error))
        return;
    for (size_t i = 0; i < count; i++) {
        store_path(store, steps[i], path);
        store_rejected_path(store, steps[i], rejected);
        if (access(path, F_OK) && access(rejected, F_OK))
            pin_drop(path);
    }
    memory_free(steps);
}

/* Says which names of checkpoints are links that lead nowhere: they do not count. */
static void tell_dangling(DIR *directory, const struct store *store)
{
    rewinddir(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        uint64_t step;
        const char *rest;
        struct stat info;
        if (store_name_parse(entry->d_name, &step, &rest) && !*rest &&
            fstatat(dirfd(directory), entry->d_name, &info, 0) && errno == ENOENT)
            log_warn("%s/%s is a link that leads nowhere: it is not counted", store->directory, entry->d_name);
    }
}

void store_sweep(const struct store *store)
{
    DIR *directory = opendir(place_of(store));
    if (!directory)
        return;
    sweep_hidden(store, directory);
    tell_dangling(directory, store);
    closedir(directory);
    sweep_markers(store);
}
