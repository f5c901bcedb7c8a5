#include "launch/sight.h"

#include "base/clock.h"
#include "base/file.h"
#include "run/holder.h"
#include "run/run_files.h"

#include <sys/stat.h>
#include <unistd.h>

/* If it is there; without it goes on, too. */
static void hold_directory(struct sight *sight)
{
    struct error error;
    if (sight->directory.handle < 0 && !directory_open(&sight->directory, sight->path, &error))
        directory_init(&sight->directory);
}

void sight_init(struct sight *sight, const char *path, struct submission *submission)
{
    *sight = (struct sight){.path = path, .submission = submission};
    run_file_path(path, RUN_LOCK, sight->lock);
    directory_init(&sight->directory);
    hold_directory(sight);
}

void sight_release(struct sight *sight)
{
    run_state_release(&sight->run);
    directory_close(&sight->directory);
}

void sight_look(struct sight *sight)
{
    struct run_state now = {0};
    struct error error;
    char held[64];
    enum directory_state state = directory_look(&sight->directory);
    bool is_elsewhere = state == DIRECTORY_MOVED || state == DIRECTORY_AWAY;
    directory_name(&sight->directory, held);
    if (run_state_look(&now, is_elsewhere ? held : sight->path, &error)) {
        run_state_release(&sight->run);
        sight->run = now;
    } else {
        run_state_release(&now);
    }
}

bool sight_is_locked(const struct sight *sight)
{
    return file_is_locked(sight->lock);
}

bool sight_is_at_work(const struct sight *sight)
{
    return file_is_locked(sight->lock) && !holder_is_other(sight->path, sight->submission->key);
}

bool sight_find_work(struct sight *sight, bool has_worked)
{
    if (!sight_is_at_work(sight))
        return false;
    enum directory_state state = directory_look(&sight->directory);
    if (state == DIRECTORY_GONE || (state == DIRECTORY_MOVED && !has_worked))
        directory_close(&sight->directory);
    hold_directory(sight);
    sight->alive_s = clock_seconds();
    submission_begun(sight->submission, sight->path);
    return true;
}

void sight_expect(struct sight *sight)
{
    sight->alive_s = clock_seconds();
}

/* Not by the time of the file: the disk's clock may be another one. */
bool sight_is_writing(struct sight *sight)
{
    char path[PATH_MAX];
    struct stat info;
    run_file_path(sight->path, RUN_METRICS, path);
    bool grows = stat(path, &info) == 0 && info.st_size != sight->metrics_bytes;
    if (grows)
        sight->metrics_bytes = info.st_size;
    return grows;
}

/* Without a file for the lock, which somebody has deleted, nothing can be told. */
double sight_silence_s(struct sight *sight)
{
    double now_s = clock_seconds();
    if (sight_is_writing(sight) || access(sight->lock, F_OK) != 0)
        sight->alive_s = now_s;
    return now_s - sight->alive_s;
}

bool sight_is_moved(const struct sight *sight, char where[PATH_MAX])
{
    if (directory_look(&sight->directory) != DIRECTORY_MOVED)
        return false;
    directory_where(&sight->directory, where);
    return true;
}

bool sight_is_open(const struct sight *sight)
{
    enum directory_state state = directory_look(&sight->directory);
    return state == DIRECTORY_GONE || (state == DIRECTORY_HERE && access(sight->path, F_OK) == 0);
}
