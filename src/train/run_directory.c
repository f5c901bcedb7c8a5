#include "train/run_directory.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/wait.h"
#include "base/watchdog.h"
#include "checkpoint/trial.h"
#include "policy/flags.h"
#include "run/environment.h"
#include "run/holder.h"
#include "run/lineage.h"
#include "run/run_files.h"
#include "train/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_MOST_S 86400 /* no start takes longer, whatever a file tells */
#define LOOK_S       0.5   /* between two looks at what has become of the directory */
#define SEEN_S       3     /* how long another node may take to see a directory that was just made */
#define LOCK_WAIT_S  20    /* how long the processes of a job that was just killed may take to go */

/* Local, rank 0. Waits for those who may be about to leave. */
static bool take_lock(struct session *session, const char *lock, struct error *error)
{
    const char *run = session->job->run, *key = session->options->key;
    bool locked = file_lock(lock, 0, &session->held.lock, error);
    if (!locked && error->kind == ERROR_BUSY && !holder_stays(run, key)) {
        log_info("waiting up to %d s for another lockstep to leave %s", LOCK_WAIT_S, run);
        locked = file_lock(lock, LOCK_WAIT_S, &session->held.lock, error);
    }
    if (!locked)
        return error->kind == ERROR_BUSY ? holder_refuse(run, key, error) : false;
    holder_write(session->held.lock, key);
    return true;
}

/* Local, rank 0. Makes the run directory and takes its lock: two jobs in one directory would destroy each other's
 * files. */
static bool take_directory(struct session *session, struct error *error)
{
    const char *run = session->job->run;
    char lock[PATH_MAX];
    run_file_path(run, RUN_LOCK, lock);
    if (!file_make_directories(session->store.directory, error) || !store_restore_directory(&session->store, error))
        return false;
    if (access(session->store.directory, W_OK | X_OK)) /* better now than after the first hundred steps */
        return error_errno(error, "cannot write in %s", session->store.directory);
    if (!take_lock(session, lock, error))
        return false;
    if (session->held.lock < 0)
        log_warn("the file system of %s has no locks: take care that no second job uses this directory", run);
    store_sweep(&session->store);
    striping_apply(&session->store.striping, session->store.directory);
    return true;
}

/* Local. Each rank holds the directory. Who has looked for it before it was made may be told for a while, from memory,
 * that it is not there. */
static bool hold_directory(struct session *session, struct error *error)
{
    struct wait wait = wait_begin(SEEN_S);
    while (!directory_open(&session->held.directory, session->job->run, error)) {
        if (error->kind != ERROR_NOT_FOUND || wait_is_over(&wait)) {
            char host[ENVIRONMENT_HOST];
            environment_host(host);
            bool absent = error->kind == ERROR_NOT_FOUND;
            error_prefix(error, "%s%s: ",
                         absent ? "run: has to lie on a file system that all nodes share, and is not seen on " : "on ",
                         host);
            error->kind = absent ? ERROR_USAGE : error->kind;
            return false;
        }
        wait_nap(&wait);
    }
    session->store.run = &session->held.directory;
    return true;
}

bool run_directory_take(struct session *session, struct error *error)
{
    uint64_t token = 0;
    if (session->world->rank == 0 && getrandom(&token, sizeof token, 0) != sizeof token)
        token = (uint64_t)clock_unix() << 20 | (uint64_t)getpid();
    token = world_share_number(session->world, token);
    bool ok = store_init(&session->store, session->job->run, token, error);
    session->store.striping.count = session->job->striping.count;
    session->store.striping.size = session->job->striping.size;
    session->store.striping.aggregators = session->job->striping.aggregators;
    uint64_t start_ms = 0;
    if (ok && session->world->rank == 0) {
        ok = take_directory(session, error);
        start_ms = (uint64_t)(1e3 * fmax(0, fmin(history_log_start_s(session->job->run), START_MOST_S)));
    }
    double patience_s = LOCK_WAIT_S + restore_patience_s(session->restore);
    agreement_begin(&session->restore->agreement);
    ok = agreement_agree(&session->restore->agreement, ok, patience_s, "taking the run directory", &start_ms, error);
    patience_expect(&session->restore->patience, PATIENCE_RESTORE, 1e-3 * (double)start_ms);
    return ok && restore_agree(session->restore, hold_directory(session, error), "opening the run directory", error) &&
           trial_write(&session->restore->agreement, &session->store, patience_s, error);
}

/* Local. What has become of the directory; that it was moved is told once. */
static enum directory_state look(struct session *session)
{
    char where[PATH_MAX];
    watchdog_begin(session->job->run, 0);
    enum directory_state state = directory_look(&session->held.directory);
    watchdog_end();
    if (state == DIRECTORY_MOVED && !session->held.is_moved) {
        directory_where(&session->held.directory, where);
        log_warn("%s was moved while the job runs: all that is saved goes to where it is now, %s. Before the job is "
                 "started again, move it back, or let run: lead there",
                 session->job->run, where);
    }
    session->held.is_moved = state == DIRECTORY_MOVED;
    return state;
}

/* Local. Whether the file that is held is not the lock of the run any more: somebody has deleted it. By the handle of
 * the directory, as a link on the way to it may be away. */
static bool has_lost_lock(const struct session *session)
{
    struct stat held, found;
    if (session->held.lock < 0 || session->held.directory.handle < 0)
        return false;
    if (fstat(session->held.lock, &held))
        return errno == ESTALE;
    if (fstatat(session->held.directory.handle, run_file_names[RUN_LOCK], &found, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT;
    return held.st_dev != found.st_dev || held.st_ino != found.st_ino;
}

static void hold_lock(struct session *session, int lock)
{
    if (session->held.lock >= 0)
        close(session->held.lock);
    session->held.lock = lock;
    session->held.lock_is_lost = false;
    holder_write(lock, session->options->key);
}

/* Local. Without it a second job could begin in the same directory. False: one has. */
static bool keep_lock(struct session *session, struct error *error)
{
    char name[64], lock[PATH_MAX];
    int taken = -1;
    if (!has_lost_lock(session))
        return true;
    directory_name(&session->held.directory, name);
    run_file_path(name, RUN_LOCK, lock);
    if (file_lock(lock, 0, &taken, error)) {
        hold_lock(session, taken);
        log_warn("%s/.lock was deleted while the job runs; it has been made again", session->job->run);
        return true;
    }
    if (error->kind == ERROR_BUSY)
        return error_set(error, ERROR_LATE,
                         "%s/.lock was deleted while the job runs, and another lockstep trains there now: this one "
                         "leaves",
                         session->job->run);
    if (!session->held.lock_is_lost)
        log_warn("%s/.lock was deleted while the job runs, and cannot be made again: %s", session->job->run,
                 error->text);
    session->held.lock_is_lost = true;
    return true;
}

bool run_directory_write_job(const struct session *session, struct error *error)
{
    char path[PATH_MAX];
    run_file_path(session->job->run, RUN_JOB, path);
    return file_replace(path, session->record.job, strlen(session->record.job), error);
}

/* Local. What a later start looks for, and nobody else writes. */
static void keep_job(struct session *session)
{
    struct stat info;
    struct error error;
    bool is_gone = session->held.directory.handle >= 0 &&
                   fstatat(session->held.directory.handle, run_file_names[RUN_JOB], &info, AT_SYMLINK_NOFOLLOW) &&
                   errno == ENOENT;
    bool ok = !is_gone || (run_directory_write_job(session, &error) &&
                           lineage_write(session->job->run, session->record.lineage, &error));
    if (!ok && !session->held.job_is_lost)
        log_warn("%s/job.yaml was deleted while the job runs, and cannot be made again: %s", session->job->run,
                 error.text);
    session->held.job_is_lost = !ok;
}

/* Local. Takes the place of a run directory that is gone. False: another job has it. */
static bool renew(struct session *session, struct error *error)
{
    char lock[PATH_MAX];
    int taken = -1;
    run_file_path(session->job->run, RUN_LOCK, lock);
    bool locked = file_make_directories(session->job->run, error) && file_lock(lock, 0, &taken, error);
    if (!locked && error->kind == ERROR_BUSY)
        return error_set(error, ERROR_LATE,
                         "%s was deleted while the job runs, and another lockstep trains there now: this one leaves",
                         session->job->run);
    bool ok = locked && directory_renew(&session->held.directory, error);
    if (ok) /* from here on the run is held again, whatever stands in the way of the checkpoints */
        hold_lock(session, taken);
    else if (taken >= 0)
        close(taken); /* the next try would take it for the lock of another job */
    const char *directory = ok ? session->store.directory : session->job->run;
    if (ok && file_make_directories(directory, error))
        log_warn("%s was deleted while the job runs, with all checkpoints in it; it has been made again", directory);
    else /* the save will fail, and be tried again */
        log_warn("%s was deleted while the job runs, and cannot be made again: %s", directory, error->text);
    return true;
}

/* Local. The files by which others know the run: what somebody has deleted of them is made again. */
static void keep_files(struct session *session, bool renewed)
{
    struct error error;
    watchdog_begin(session->job->run, 0);
    bool ok = renewed || keep_lock(session, &error);
    if (ok)
        keep_job(session);
    watchdog_end();
    if (!ok && session->options->lost)
        session->options->lost(&error);
    history_log_keep(&session->history_log);
}

unsigned run_directory_flags(struct session *session, double now_s)
{
    if (now_s - session->held.looked_s < LOOK_S)
        return 0;
    session->held.looked_s = now_s;
    enum directory_state state = look(session);
    if (state == DIRECTORY_HERE)
        keep_files(session, false);
    return state == DIRECTORY_MOVED ? LEAVE_MOVED : 0;
}

void run_directory_keep(struct session *session)
{
    struct error error;
    enum directory_state state = look(session);
    watchdog_begin(session->job->run, 0);
    bool ok = state != DIRECTORY_GONE || renew(session, &error);
    watchdog_end();
    if (!ok && session->options->lost)
        session->options->lost(&error);
    if (state == DIRECTORY_MOVED || state == DIRECTORY_AWAY) /* nothing is made where the path may lead to now */
        return;
    keep_files(session, state == DIRECTORY_GONE);
    metrics_keep(&session->metrics);
}
