#include "base/memory_limit.h"

#include "base/file.h"
#include "base/memory_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MB 1048576.0

void memory_limits_add(struct memory_limits *limits, const struct memory_limit *limit)
{
    if (limits->count < MEMORY_LIMITS)
        limits->items[limits->count++] = *limit;
}

void memory_limits_of_process(struct memory_limits *limits)
{
    static const struct {
        int limit;
        enum memory_reach reach;
        const char *name;
    } known[] = {
        {RLIMIT_DATA, MEMORY_OWN, "the limit of a process's data (ulimit -d)"},
        {RLIMIT_AS, MEMORY_ADDRESS, "the limit of a process's memory (ulimit -v)"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct rlimit is;
        struct memory_limit limit = {.reach = known[i].reach};
        if (getrlimit((__rlimit_resource_t)known[i].limit, &is) || is.rlim_cur == RLIM_INFINITY)
            continue;
        limit.bytes = (double)is.rlim_cur;
        snprintf(limit.name, sizeof limit.name, "%s", known[i].name);
        memory_limits_add(limits, &limit);
    }
}

/* A number of ZFS: "size    4    123456". */
static double zfs_number(const char *text, const char *key)
{
    size_t length = strlen(key);
    double number = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, length) == 0 && line[length] == ' ' && sscanf(line + length, " %*d %lf", &number) == 1)
            return number;
    return 0;
}

/* What ZFS gives back of its cache when others need it: Linux does not know of that. */
static double zfs_spare(const char *root)
{
    char *text = memory_system_text(root, "/proc/spl/kstat/zfs/arcstats");
    double spare = zfs_number(text, "size") - zfs_number(text, "c_min");
    free(text);
    return spare > 0 ? spare : 0;
}

void memory_limits_of_machine(struct memory_limits *limits, const char *root)
{
    struct memory_limit limit = {.reach = MEMORY_MACHINE,
                                 .name = "what this machine has left (MemAvailable, SwapFree)"};
    char *text = memory_system_text(root, "/proc/meminfo");
    double swap = 0;
    if (memory_line(text, "MemAvailable", &limit.bytes) && limit.bytes > 0) {
        memory_line(text, "SwapFree", &swap);
        limit.bytes += swap + zfs_spare(root);
        memory_limits_add(limits, &limit);
    }
    free(text);
}

/* The largest number of a list like "16(x2),8"; 0: there is none. */
static double most_cpus(const char *list)
{
    double most = 0;
    for (const char *item = list; *item; item += strcspn(item, ","), item += *item == ',') {
        double cpus = strtod(item, NULL);
        most = cpus > most ? cpus : most;
    }
    return most;
}

void memory_limits_of_slurm(struct memory_limits *limits, const char *per_node, const char *per_cpu, const char *cpus)
{
    struct memory_limit limit = {.reach = MEMORY_NODE};
    double node = per_node ? strtod(per_node, NULL) : 0, cpu = per_cpu ? strtod(per_cpu, NULL) : 0;
    double count = cpus ? most_cpus(cpus) : 0;
    if (node > 0) { /* 0: all that the node has */
        limit.bytes = node * MB;
        snprintf(limit.name, sizeof limit.name, "what the job has asked Slurm for (--mem, SLURM_MEM_PER_NODE)");
    } else if (cpu > 0 && count > 0) {
        limit.bytes = cpu * MB * count;
        snprintf(limit.name, sizeof limit.name,
                 "what the job has asked Slurm for (--mem-per-cpu, SLURM_MEM_PER_CPU, %g CPUs a node)", count);
    }
    if (limit.bytes > 0)
        memory_limits_add(limits, &limit);
}

void memory_limits_find(struct memory_limits *limits)
{
    struct memory_use use;
    *limits = (struct memory_limits){0};
    memory_limits_of_process(limits);
    memory_limits_of_slurm(limits, getenv("SLURM_MEM_PER_NODE"), getenv("SLURM_MEM_PER_CPU"),
                           getenv("SLURM_JOB_CPUS_PER_NODE"));
    memory_limits_of_groups(limits, "");
    memory_limits_of_machine(limits, "");
    memory_use_look(&use, false);
    limits->present = use.own + use.shared;
}
