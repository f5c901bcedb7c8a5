#include "base/cores.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/memory_use.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S    0.3
#define BUSY      0.1  /* of the look: less than that does not explain much */
#define PROCESSES 4096 /* that are looked at */

void cores_append(const cpu_set_t *cores, struct text *text)
{
    const char *comma = "";
    for (size_t first = 0; first < CPU_SETSIZE; first++) {
        size_t last = first;
        if (!CPU_ISSET(first, cores))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cores))
            last++;
        text_append(text, last > first ? "%s%zu-%zu" : "%s%zu", comma, first, last);
        comma = ",";
        first = last;
    }
}

bool cores_read(const char *list, cpu_set_t *cores)
{
    CPU_ZERO(cores);
    for (const char *at = list; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (end == at)
            return false;
        if (*end == '-') {
            at = end + 1;
            last = strtoul(at, &end, 10);
        }
        if (end == at || last < first || last >= CPU_SETSIZE || (*end && *end != ','))
            return false;
        for (; first <= last; first++)
            CPU_SET(first, cores);
        at = end + (*end == ',');
    }
    return true;
}

bool cores_are_within(const cpu_set_t *part, const cpu_set_t *whole)
{
    cpu_set_t both;
    CPU_AND(&both, part, whole);
    return CPU_EQUAL(&both, part);
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double used_s(int who)
{
    struct rusage use;
    return getrusage(who, &use) == 0 ? seconds_of(use.ru_utime) + seconds_of(use.ru_stime) : 0;
}

bool cores_wait_now(struct cores_wait *wait)
{
    unsigned long long worked_ns, ready_ns;
    char *text = memory_system_text("", "/proc/thread-self/schedstat");
    bool known = sscanf(text, "%llu %llu", &worked_ns, &ready_ns) == 2;
    free(text);
    if (known)
        *wait = (struct cores_wait){.now_s = clock_seconds(),
                                    .ready_s = (double)ready_ns / 1e9,
                                    .others_s = used_s(RUSAGE_SELF) - used_s(RUSAGE_THREAD),
                                    .held_s = cores_held_s("")};
    return known;
}

/* The number behind a key at the beginning of a line; 0: there is none. */
static double number_of(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtod(line + length, NULL);
    return 0;
}

/* Of a group and of all above it, whose path is cut on the way. */
static double most_held_s(const char *root, const char *mount, char *group)
{
    double most = 0;
    for (;;) {
        char name[2 * PATH_MAX];
        snprintf(name, sizeof name, "%s%s/cpu.stat", mount, group);
        char *text = memory_system_text(root, name);
        double v1 = number_of(text, "throttled_time") / 1e9, v2 = number_of(text, "throttled_usec") / 1e6;
        free(text);
        most = v1 > most ? v1 : v2 > most ? v2 : most;
        char *slash = strrchr(group, '/');
        if (!slash)
            return most;
        *slash = '\0';
    }
}

double cores_held_s(const char *root)
{
    double most = 0;
    char *groups = memory_system_text(root, "/proc/self/cgroup"), *rest = groups;
    for (char *line; (line = strsep(&rest, "\n"));) { /* 4:cpu,cpuacct:/a/b, or 0::/a/b */
        char group[PATH_MAX], *number = strsep(&line, ":"), *controllers = line ? strsep(&line, ":") : NULL;
        if (!controllers || !line)
            continue;
        snprintf(group, sizeof group, "%s", strcmp(line, "/") == 0 ? "" : line);
        bool is_second = strcmp(number, "0") == 0 && !*controllers;
        bool has_cpu = strcmp(controllers, "cpu") == 0 || strncmp(controllers, "cpu,", 4) == 0 ||
                       strcmp(controllers, "cpuacct,cpu") == 0;
        double held = is_second ? most_held_s(root, "/sys/fs/cgroup", group)
                      : has_cpu ? most_held_s(root, "/sys/fs/cgroup/cpu", group)
                                : 0;
        most = held > most ? held : most;
    }
    free(groups);
    return most;
}

/* What a look sees of a process. */
struct process {
    pid_t pid, parent;
    double worked_s;
    char name[17];
};

/* Local. /proc/PID/stat: pid (name) state parent ..., where the name may hold anything. */
static bool look_at(pid_t pid, struct process *process)
{
    char name[40];
    unsigned long user, kernel;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    char *text = memory_system_text("", name), *begin = strchr(text, '('), *end = strrchr(text, ')');
    bool ok = begin && end &&
              sscanf(end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &process->parent, &user,
                     &kernel) == 3;
    if (ok) {
        *end = '\0';
        snprintf(process->name, sizeof process->name, "%s", begin + 1);
        process->pid = pid;
        process->worked_s = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
    }
    free(text);
    return ok;
}

/* Those that may work on these cores, and have not our parent. */
static size_t list_processes(const cpu_set_t *cores, struct process *list)
{
    size_t count = 0;
    DIR *directory = opendir("/proc");
    for (struct dirent *entry; directory && count < PROCESSES && (entry = readdir(directory));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        cpu_set_t theirs;
        if (pid <= 0 || pid == getpid() || sched_getaffinity(pid, sizeof theirs, &theirs) != 0)
            continue;
        CPU_AND(&theirs, &theirs, cores);
        if (CPU_COUNT(&theirs) > 0 && look_at(pid, &list[count]) && list[count].parent != getppid())
            count++;
    }
    if (directory)
        closedir(directory);
    return count;
}

bool cores_busy_process(const cpu_set_t *cores, pid_t *pid, char name[17])
{
    struct process *list = memory_need(PROCESSES, sizeof *list), now;
    size_t count = list_processes(cores, list);
    double most_s = BUSY * LOOK_S;
    bool found = false;
    const struct timespec nap = {0, (long)(LOOK_S * 1e9)};
    nanosleep(&nap, NULL); /* a signal only makes it shorter */
    for (size_t i = 0; i < count; i++) {
        if (!look_at(list[i].pid, &now) || now.worked_s - list[i].worked_s <= most_s)
            continue;
        most_s = now.worked_s - list[i].worked_s;
        *pid = now.pid;
        memcpy(name, now.name, sizeof now.name);
        found = true;
    }
    memory_free(list);
    return found;
}
