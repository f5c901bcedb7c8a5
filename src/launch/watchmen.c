#include "launch/watchmen.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "launch/nodes.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEAT_S      5.0  /* between two signs of life */
#define SILENT_S    15.0 /* without one: Slurm is asked, and then ... */
#define ASK_EVERY_S 10.0 /* ... so often */
#define PAUSE_S     30.0 /* from one start of their step to the next */
#define SHORT_S     60.0 /* a step that ends sooner has come to nothing */
#define FAILURES    3
#define GO_HOME_S   2.0
#define SAID        160

/* ---- the supervisor's side ---- */

void watchmen_init(struct watchmen *watchmen, const struct slurm_job *job)
{
    *watchmen = (struct watchmen){.job = job, .beat = -1, .words = -1};
}

static const char *own_node(void)
{
    const char *name = getenv("SLURMD_NODENAME");
    return name ? name : "";
}

/* The first of the other nodes that are there, separated by commas. Returns how many. */
static unsigned choose_nodes(char names[WATCHMEN_NAMES])
{
    const char *list = getenv("SLURM_JOB_NODELIST");
    struct text lines;
    size_t used = 0;
    unsigned count = 0;
    text_init(&lines);
    *names = '\0';
    if (list && slurm_ask((const char *[]){"show", "hostnames", list, NULL}, &lines))
        for (const char *line = text_bytes(&lines); *line && count < WATCHMEN;) {
            size_t length = strcspn(line, "\n");
            bool is_own = length == strlen(own_node()) && strncmp(line, own_node(), length) == 0;
            if (length > 0 && !is_own && used + length + 2 < WATCHMEN_NAMES) {
                used += (size_t)snprintf(names + used, WATCHMEN_NAMES - used, "%s%.*s", count > 0 ? "," : "",
                                         (int)length, line);
                count++;
            }
            line += length + (line[length] == '\n');
        }
    text_release(&lines);
    return count;
}

/* Where this process's log goes, if that is a file. */
static void find_log(char path[PATH_MAX])
{
    struct stat info;
    ssize_t length = readlink("/proc/self/fd/2", path, PATH_MAX - 1);
    bool is_file = length > 0 && fstat(STDERR_FILENO, &info) == 0 && S_ISREG(info.st_mode);
    path[is_file ? length : 0] = '\0';
}

static bool start_step(struct watchmen *watchmen, unsigned count, struct error *error)
{
    char own[PATH_MAX], log[PATH_MAX], nodes[32], tasks[32];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    find_log(log);
    snprintf(nodes, sizeof nodes, "--nodes=%u", count);
    snprintf(tasks, sizeof tasks, "--ntasks=%u", count);
    /* What sbatch was told of tasks is not meant for this step, and it shares what the others have. */
    const char *const words[] = {"env",
                                 "-u",
                                 "SLURM_EXCLUSIVE",
                                 "-u",
                                 "SLURM_NTASKS_PER_NODE",
                                 "-u",
                                 "SLURM_CPUS_PER_TASK",
                                 "-u",
                                 "SLURM_TRES_PER_TASK",
                                 "-u",
                                 "SLURM_DISTRIBUTION",
                                 "-u",
                                 "SLURM_HINT",
                                 "srun",
                                 "--overlap",
                                 "--no-kill",
                                 "--kill-on-bad-exit=0",
                                 "--wait=0",
                                 "--mpi=none",
                                 "--gres=none",
                                 "--cpus-per-task=1",
                                 nodes,
                                 tasks,
                                 "--nodelist",
                                 watchmen->names,
                                 own,
                                 "supervise",
                                 "--watch",
                                 own_node(),
                                 "--log",
                                 log,
                                 NULL};
    return process_start_piped(&watchmen->step, (char *const *)words, watchmen->words, &watchmen->beat, error);
}

/* The last line that srun has printed. */
static void read_words(const struct watchmen *watchmen, char said[SAID])
{
    char bytes[2000] = "";
    ssize_t count = pread(watchmen->words, bytes, sizeof bytes - 1, 0);
    bytes[count > 0 ? count : 0] = '\0';
    bytes[strcspn(bytes, "\n")] = '\0';
    snprintf(said, SAID, "%.*s", SAID - 1, *bytes ? bytes : "srun has ended without a word");
}

static void close_ends(struct watchmen *watchmen)
{
    if (watchmen->beat >= 0)
        close(watchmen->beat);
    if (watchmen->words >= 0)
        close(watchmen->words);
    watchmen->beat = watchmen->words = -1;
}

static void fail(struct watchmen *watchmen, const char *why)
{
    if (++watchmen->failures < FAILURES)
        return;
    watchmen->is_unnecessary = true;
    log_warn("supervise: no watchman on another node (%s): if %s is lost for good, job %s has to be requeued by hand: "
             "scontrol requeue %s",
             why, own_node(), watchmen->job->id, watchmen->job->id);
}

static void place(struct watchmen *watchmen)
{
    struct error error;
    watchmen->begun_s = watchmen->beat_s = clock_seconds();
    unsigned count = choose_nodes(watchmen->names);
    if (count == 0) {
        watchmen->is_unnecessary = true;
        return;
    }
    watchmen->words = memfd_create("srun", MFD_CLOEXEC);
    if (start_step(watchmen, count, &error))
        return;
    close_ends(watchmen);
    fail(watchmen, error.text);
}

static void give_sign(struct watchmen *watchmen)
{
    double now_s = clock_seconds();
    if (now_s - watchmen->beat_s < BEAT_S)
        return;
    watchmen->beat_s = now_s;
    ssize_t written = write(watchmen->beat, "\n", 1); /* it does not block; if nobody reads it, its end will be seen */
    (void)written;
}

static bool is_necessary(const struct watchmen *watchmen)
{
    const char *nodes = getenv("SLURM_JOB_NUM_NODES");
    return !watchmen->is_unnecessary && watchmen->job->is_known && watchmen->job->batch_flag > 0 &&
           !slurm_is_ending(watchmen->job) && *own_node() && nodes && strcmp(nodes, "1") != 0;
}

void watchmen_keep(struct watchmen *watchmen)
{
    if (process_runs(&watchmen->step)) {
        give_sign(watchmen);
        return;
    }
    if (watchmen->beat >= 0) { /* it has just ended */
        char said[SAID];
        bool was_short = clock_seconds() - watchmen->begun_s < SHORT_S;
        read_words(watchmen, said);
        close_ends(watchmen);
        watchmen->failures = was_short ? watchmen->failures : 0;
        if (was_short && is_necessary(watchmen))
            fail(watchmen, said);
    }
    bool is_soon = watchmen->begun_s > 0 && clock_seconds() - watchmen->begun_s < PAUSE_S;
    if (!is_soon && is_necessary(watchmen))
        place(watchmen);
}

void watchmen_move(struct watchmen *watchmen)
{
    char names[WATCHMEN_NAMES];
    if (!process_runs(&watchmen->step) || choose_nodes(names) == 0 || strcmp(names, watchmen->names) == 0)
        return;
    watchmen_release(watchmen);
    watchmen->begun_s = 0;
    watchmen_keep(watchmen);
}

void watchmen_release(struct watchmen *watchmen)
{
    if (watchmen->beat >= 0)
        close(watchmen->beat);
    watchmen->beat = -1;
    for (double end_s = clock_seconds() + GO_HOME_S; process_runs(&watchmen->step) && clock_seconds() < end_s;)
        usleep(10000);
    process_signal_group(&watchmen->step, SIGKILL);
    while (process_runs(&watchmen->step))
        usleep(10000);
    close_ends(watchmen);
}

/* ---- their own side ---- */

/* Where the job writes, if that is a file. */
static void open_log(const char *path)
{
    int fd;
    struct error error;
    if (*path && file_open(path, FILE_APPEND, &fd, &error)) {
        dup2(fd, STDERR_FILENO);
        close(fd);
    }
}

enum hearing { HEARING_NOTHING, HEARING_LIFE, HEARING_END };

/* Waits for up to a second. */
static enum hearing hear(void)
{
    char bytes[64];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = poll(&input, 1, 1000);
    if (ready <= 0)
        return HEARING_NOTHING;
    return read(STDIN_FILENO, bytes, sizeof bytes) > 0 ? HEARING_LIFE : HEARING_END;
}

/* A job that may not be requeued is not left to itself either. */
static void end_job(struct slurm_job *job, const char *first)
{
    struct error error;
    char own[65] = "";
    gethostname(own, sizeof own - 1);
    log_warn("supervise: %s, the first node of job %s, is lost, and with it the supervisor: the watchman on %s has the "
             "job requeued",
             first, job->id, own);
    if (slurm_requeue(job, &error))
        return;
    log_warn("supervise: not requeued: %s. Nothing runs in job %s any more: it is cancelled", error.text, job->id);
    slurm_cancel(job);
}

void watchman_run(const char *first, const char *log)
{
    struct slurm_job job = {0};
    double heard_s = clock_seconds(), asked_s = 0;
    process_take_signals(); /* all but SIGTERM are meant for the ranks */
    open_log(log);
    for (;;) {
        enum hearing hearing = hear();
        double now_s = clock_seconds();
        if (hearing == HEARING_END || process_await(0) == SIGTERM)
            return;
        if (hearing == HEARING_LIFE)
            heard_s = now_s;
        if (now_s - heard_s < SILENT_S || now_s - asked_s < ASK_EVERY_S)
            continue;
        asked_s = now_s;
        slurm_look(&job);
        if (slurm_is_ending(&job))
            return;
        if (job.is_known && strcmp(job.state, "RUNNING") == 0 && nodes_has_lost(&job, first)) {
            end_job(&job, first);
            return;
        }
    }
}
