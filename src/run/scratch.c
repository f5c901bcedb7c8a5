#include "run/scratch.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/wait.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOCK     "check.lock"
#define MIDDLE   ".check-"
#define TOKEN    16 /* hexadecimal digits */
#define REMOVE_S 20 /* for others to let go of what is in it */
#define DEEP     8  /* directories in each other: those of a run are three */

/* ---- taking away ---- */

static void remove_below(int directory, int deep);

static void remove_entry(int directory, const char *name, int deep)
{
    if (unlinkat(directory, name, 0) == 0 || deep == 0)
        return;
    int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)
        return;
    remove_below(below, deep - 1); /* which closes it */
    unlinkat(directory, name, AT_REMOVEDIR);
}

static void remove_below(int directory, int deep)
{
    DIR *list = fdopendir(directory);
    if (!list) {
        close(directory);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(list));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(dirfd(list), entry->d_name, deep);
    closedir(list);
}

/* Ranks may still be about to go: what they make or hold meanwhile is met by the next try. */
static void remove_tree(const char *path)
{
    struct wait wait = wait_begin(REMOVE_S);
    struct error error;
    int directory;
    while (file_open_directory(path, FILE_OURS, &directory, &error)) {
        remove_below(directory, DEEP);
        if (rmdir(path) == 0 || wait_is_over(&wait))
            return;
        wait_nap(&wait);
    }
}

/* ---- the process that waits ---- */

static _Noreturn void wait_and_remove(int pipe)
{
    char path[PATH_MAX] = "";
    size_t length = 0;
    for (;;) {
        ssize_t got = read(pipe, path + length, sizeof path - length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    if (*path)
        remove_tree(path);
    _exit(0);
}

/* No signal that is meant for the job reaches it, and nobody waits for what it holds. The pipe is moved. */
static int part_from_job(int pipe)
{
    int nothing = open("/dev/null", O_RDWR);
    setsid();
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    for (int fd = 0; nothing >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(nothing, fd);
    dup2(pipe, STDERR_FILENO + 1);
    close_range(STDERR_FILENO + 2, UINT_MAX, 0);
    return STDERR_FILENO + 1;
}

bool scratch_prepare(struct scratch *scratch, struct error *error)
{
    int ends[2];
    *scratch = (struct scratch){.pipe = -1, .lock = -1};
    if (pipe2(ends, O_CLOEXEC))
        return error_errno(error, "cannot make a pipe");
    scratch->remover = fork();
    if (scratch->remover == 0)
        wait_and_remove(part_from_job(ends[0]));
    close(ends[0]);
    scratch->pipe = ends[1];
    if (scratch->remover > 0)
        return true;
    error_errno(error, "cannot start a process");
    close(ends[1]);
    *scratch = (struct scratch){.pipe = -1, .lock = -1};
    return false;
}

/* ---- where ---- */

/* Whether a run directory that is there has a place beside it that is as good. */
static bool has_place_beside(const char *run, const char *parent)
{
    struct stat own, beside;
    return stat(run, &own) == 0 && stat(parent, &beside) == 0 && own.st_dev == beside.st_dev &&
           access(parent, W_OK | X_OK) == 0;
}

/* The directory in which it is made, and the name of the run. */
static bool find_place(const char *run, char place[PATH_MAX], char name[NAME_MAX + 1], struct error *error)
{
    char path[PATH_MAX];
    struct stat info;
    bool is_there = stat(run, &info) == 0;
    if (is_there && !S_ISDIR(info.st_mode))
        return error_set(error, ERROR_USAGE, "run: %s is not a directory", run);
    if (is_there && !realpath(run, path))
        return error_errno(error, "run: %s", run);
    if (!is_there)
        snprintf(path, sizeof path, "%s", run);
    for (size_t length = strlen(path); length > 1 && path[length - 1] == '/';)
        path[--length] = '\0';
    const char *slash = strrchr(path, '/');
    snprintf(name, NAME_MAX + 1, "%.*s", NAME_MAX - TOKEN - (int)sizeof MIDDLE, slash ? slash + 1 : path);
    file_parent(path, place);
    if (is_there && !has_place_beside(path, place))
        snprintf(place, PATH_MAX, "%s", path);
    while (stat(place, &info) && errno == ENOENT && strcmp(place, ".") != 0 && strcmp(place, "/") != 0) {
        snprintf(path, sizeof path, "%s", place);
        file_parent(path, place);
    }
    return true;
}

/* ---- what others have left ---- */

/* Whether it is the name of one that was made for this run. */
static bool is_ours(const char *entry, const char *name)
{
    size_t length = strlen(name);
    return entry[0] == '.' && strncmp(entry + 1, name, length) == 0 &&
           strncmp(entry + 1 + length, MIDDLE, strlen(MIDDLE)) == 0 &&
           strspn(entry + 1 + length + strlen(MIDDLE), "0123456789abcdef") == TOKEN &&
           entry[1 + length + strlen(MIDDLE) + TOKEN] == '\0';
}

/* Who uses one has its lock; where there are no locks nobody can tell, and all stay. */
static void sweep(const char *place, const char *name)
{
    DIR *list = opendir(place);
    for (const struct dirent *entry; list && (entry = readdir(list));) {
        char path[PATH_MAX], lock[PATH_MAX];
        struct error error;
        int held;
        if (!is_ours(entry->d_name, name) ||
            snprintf(path, sizeof path, "%s/%s", place, entry->d_name) >= (int)sizeof path ||
            snprintf(lock, sizeof lock, "%s/%s", path, LOCK) >= (int)sizeof lock || access(lock, F_OK) != 0 ||
            !file_lock(lock, 0, &held, &error) || held < 0)
            continue;
        remove_tree(path);
        close(held);
    }
    if (list)
        closedir(list);
}

/* ---- */

bool scratch_make(struct scratch *scratch, const char *run, struct error *error)
{
    char place[PATH_MAX], name[NAME_MAX + 1], lock[PATH_MAX];
    uint64_t token = 0;
    int directory;
    if (!find_place(run, place, name, error))
        return false;
    sweep(place, name);
    if (getrandom(&token, sizeof token, 0) != sizeof token)
        token = (uint64_t)clock_unix() << 20 | (uint64_t)getpid();
    if (snprintf(scratch->path, sizeof scratch->path, "%s/.%s%s%016" PRIx64, place, name, MIDDLE, token) >=
            (int)sizeof scratch->path - 200 ||
        snprintf(lock, sizeof lock, "%s/%s", scratch->path, LOCK) >= (int)sizeof lock) {
        *scratch->path = '\0';
        return error_set(error, ERROR_USAGE, "run: %s: this path is too long", run);
    }
    /* First: from here on it is taken away. A short message to a pipe is written at once. */
    size_t length = strlen(scratch->path);
    if (write(scratch->pipe, scratch->path, length) != (ssize_t)length)
        return error_errno(error, "cannot write into a pipe");
    if (!file_make_directory(scratch->path, FILE_OURS, &directory, error))
        return false;
    close(directory);
    return file_lock(lock, 0, &scratch->lock, error);
}

void scratch_remove(struct scratch *scratch)
{
    if (scratch->remover == 0)
        return;
    if (scratch->lock >= 0)
        close(scratch->lock);
    close(scratch->pipe);
    while (waitpid(scratch->remover, NULL, 0) < 0 && errno == EINTR)
        ;
    *scratch = (struct scratch){.pipe = -1, .lock = -1};
}
