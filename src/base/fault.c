#include "base/fault.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const fault_points[FAULT_POINTS] = {
    [FAULT_SNAPSHOT_TAKEN] = "snapshot-taken",
    [FAULT_FILE_CREATED] = "file-created",
    [FAULT_SPACE_RESERVED] = "space-reserved",
    [FAULT_SHARD_WRITTEN] = "shard-written",
    [FAULT_FILE_CLOSED] = "file-closed",
    [FAULT_DATA_VERIFIED] = "data-verified",
    [FAULT_RECORD_WRITTEN] = "record-written",
    [FAULT_FILE_SYNCED] = "file-synced",
    [FAULT_RENAMED] = "renamed",
    [FAULT_COMMITTED] = "committed",
    [FAULT_UNPUBLISHED] = "unpublished",
    [FAULT_PRUNED] = "pruned",
    [FAULT_RESTORE_OPENED] = "restore-opened",
    [FAULT_RESTORE_LOADED] = "restore-loaded",
    [FAULT_RESTORE_REJECTED] = "restore-rejected",
    [FAULT_JOB_WRITTEN] = "job-written",
    [FAULT_METRICS_CUT] = "metrics-cut",
    [FAULT_LOCAL_WRITTEN] = "local-written",
    [FAULT_LOCAL_SENT] = "local-sent",
    [FAULT_LOCAL_RENAMED] = "local-renamed",
    [FAULT_VALIDATING] = "validating",
    [FAULT_VALIDATED] = "validated",
};

enum who { WHO_RANK, WHO_ALL, WHO_MPIRUN, WHO_COUNT };
static const char *const who_names[WHO_COUNT] = {"rank", "all", "mpirun"};

/* Set once at the start and only read afterwards. FAULT_POINTS: none chosen; step 0: any step. */
static enum fault_point chosen = FAULT_POINTS;
static uint64_t chosen_step = 0;
static enum who chosen_who = WHO_RANK;
static int chosen_signal = SIGKILL;

static enum who find_who(const char *name)
{
    enum who who = 0;
    while (who < WHO_COUNT && strcmp(who_names[who], name) != 0)
        who++;
    return who;
}

bool fault_init(int rank, struct error *error)
{
    const char *value = getenv("LOCKSTEP_FAULT");
    chosen = FAULT_POINTS; /* what an earlier call has chosen does not count any more */
    if (!value || !*value)
        return true;
    size_t length = strcspn(value, ",");
    enum fault_point point = 0;
    while (point < FAULT_POINTS &&
           (strlen(fault_points[point]) != length || strncmp(fault_points[point], value, length)))
        point++;
    long chosen_rank = 0;
    unsigned long long step = 0;
    char name[8] = "rank", what[8] = "kill";
    const char *rest = value + length;
    while (*rest) {
        int used = 0;
        if (sscanf(rest, ",step=%llu%n", &step, &used) < 1 && sscanf(rest, ",rank=%ld%n", &chosen_rank, &used) < 1 &&
            sscanf(rest, ",who=%7[a-z]%n", name, &used) < 1 && sscanf(rest, ",signal=%7[a-z]%n", what, &used) < 1)
            break;
        rest += used;
    }
    enum who who = find_who(name);
    bool stops = strcmp(what, "stop") == 0;
    if (point == FAULT_POINTS || who == WHO_COUNT || (!stops && strcmp(what, "kill") != 0) || *rest)
        return error_set(error, ERROR_USAGE,
                         "LOCKSTEP_FAULT=%s: not of the form "
                         "POINT[,step=N][,rank=R][,who=rank|all|mpirun][,signal=kill|stop], or no such point",
                         value);
    if (rank == chosen_rank) {
        chosen = point;
        chosen_step = step;
        chosen_who = who;
        chosen_signal = stops ? SIGSTOP : SIGKILL;
    }
    return true;
}

/* What a process is called and which one is its parent; false if it is not there (any more). */
static bool look_at(pid_t process, char name[64], pid_t *parent)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "re");
    bool read = file && fgets(line, sizeof line, file);
    if (file)
        fclose(file);
    /* "17 (name) S 1 ...": the name may hold anything, also parentheses. */
    char *first = read ? strchr(line, '(') : NULL, *last = read ? strrchr(line, ')') : NULL;
    int number = 0;
    if (!first || !last || sscanf(last, ") %*c %d", &number) != 1)
        return false;
    *parent = number;
    snprintf(name, 64, "%.*s", (int)(last - first - 1), first + 1);
    return true;
}

/* The ranks of this node: what has this program's name and the same parent. */
static void kill_all(void)
{
    char own[64], name[64];
    pid_t parent, other;
    DIR *processes = opendir("/proc");
    if (!processes || !look_at(getpid(), own, &parent))
        return;
    for (struct dirent *entry; (entry = readdir(processes));) {
        pid_t process = (pid_t)strtol(entry->d_name, NULL, 10);
        if (process > 0 && process != getpid() && look_at(process, name, &other) && other == parent &&
            strcmp(name, own) == 0)
            kill(process, chosen_signal);
    }
    closedir(processes);
}

/* Somebody who has started a rank without mpirun does not want to lose the shell. */
static void kill_mpirun(void)
{
    static const char *const launchers[] = {"mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"};
    char name[64];
    pid_t above;
    pid_t parent = getppid();
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (look_at(parent, name, &above) && strcmp(name, launchers[i]) == 0)
            kill(parent, chosen_signal);
}

void fault_at(enum fault_point point, uint64_t step)
{
    if (point != chosen || (chosen_step && chosen_step != step))
        return;
    fprintf(stderr, "LOCKSTEP_FAULT: %s at %s of step %llu\n", chosen_signal == SIGSTOP ? "stopped" : "killed",
            fault_points[point], (unsigned long long)step);
    chosen = FAULT_POINTS; /* once */
    if (chosen_who == WHO_MPIRUN) {
        kill_mpirun();
        return;
    }
    if (chosen_who == WHO_ALL)
        kill_all();
    raise(chosen_signal); /* this thread is in it at once; of kill() only the process as a whole is, some day */
}
