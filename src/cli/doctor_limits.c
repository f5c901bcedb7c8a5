#include "cli/doctor.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* A limit of less than `least` is told; 0: any limit is. */
static const struct {
    int limit;
    const char *what, *option, *costs;
    double least, unit; /* it is told in */
    const char *unit_name, *only_with;
} limits[] = {
    {RLIMIT_FSIZE, "the size of a file", "-f", "a larger checkpoint, log or weights file fails", 0, 1e6, " MB", NULL},
    {RLIMIT_AS, "a process's memory", "-v", "shared windows and mapped files count as well", 0, 1e6, " MB", NULL},
    {RLIMIT_DATA, "a process's data", "-d", "a larger model fails", 0, 1e6, " MB", NULL},
    {RLIMIT_CPU, "CPU time", "-t", "each rank saves and leaves before it is over", 0, 1, " s", NULL},
    {RLIMIT_NOFILE, "open files", "-n", "MPI needs some for each rank of a node", 1024, 1, "", NULL},
    {RLIMIT_NPROC, "processes and threads", "-u", "each rank has several threads", 1024, 1, "", NULL},
    {RLIMIT_MEMLOCK, "locked memory", "-l", "InfiniBand needs more", 64e6, 1e6, " MB", "/dev/infiniband"},
};

void doctor_say_limits(void)
{
    bool is_good = true;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit;
        char remedy[80];
        if (getrlimit((__rlimit_resource_t)limits[i].limit, &limit) || limit.rlim_cur == RLIM_INFINITY ||
            (limits[i].least > 0 && (double)limit.rlim_cur >= limits[i].least) ||
            (limits[i].only_with && access(limits[i].only_with, F_OK) != 0))
            continue;
        is_good = false;
        snprintf(remedy, sizeof remedy, "ulimit %s unlimited, in the shell or batch script that starts it",
                 limits[i].option);
        doctor_say(VERDICT_WARNING, "limits", remedy, "%s: %.6g%s (ulimit %s): %s", limits[i].what,
                   (double)limit.rlim_cur / limits[i].unit, limits[i].unit_name, limits[i].option, limits[i].costs);
    }
    if (is_good)
        doctor_say(VERDICT_GOOD, "limits", NULL, "none that a job would meet");
}
