#include "policy/preemption.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#define CPU_SPARE_S 30 /* of CPU time between SIGXCPU and the end, ... */
#define CPU_PART    10 /* ... or this part of all, if that is less */

/* The table of preemption.h; what is left as it comes is not in it. */
static const struct {
    int signal;
    unsigned flag; /* 0: ignored */
    const char *name;
    bool stays_ignored; /* if it was when the program began */
} watched[] = {
    {SIGTERM, LEAVE_SIGTERM, "SIGTERM", false},
    {SIGUSR2, LEAVE_SIGUSR2, "SIGUSR2", false},
    {SIGINT, LEAVE_SIGINT, "SIGINT", false},
    {SIGXCPU, LEAVE_SIGXCPU, "SIGXCPU", false},
    {SIGPWR, LEAVE_SIGPWR, "SIGPWR", false},
    {SIGHUP, LEAVE_SIGHUP, "SIGHUP", true},
    {SIGUSR1, LEAVE_SIGUSR1, "SIGUSR1", false}, /* perhaps only a warning */
    {SIGALRM, SAVE_SIGNAL, "SIGALRM", false},
    {SIGXFSZ, 0, "SIGXFSZ", false},
    {SIGPIPE, 0, "SIGPIPE", false},
    {SIGTTOU, 0, "SIGTTOU", false},
};
#define WATCHED (sizeof watched / sizeof *watched)

static volatile sig_atomic_t received[WATCHED];

/* What was there before. */
static struct sigaction before[WATCHED];
static bool is_taken[WATCHED];
static struct rlimit cpu_before;
static bool has_parted_cpu;

static void note(int number)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (watched[i].signal == number)
            received[i] = 1;
    /* Who presses Ctrl-C twice does not want to wait for a save. */
    if (number == SIGINT)
        signal(SIGINT, SIG_DFL);
}

/* A limit of CPU time whose soft half is the hard one (ulimit -t sets both) kills without SIGXCPU. */
static void part_cpu_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CPU, &limit) || limit.rlim_max == RLIM_INFINITY || limit.rlim_cur < limit.rlim_max)
        return;
    rlim_t spare = limit.rlim_max / CPU_PART < CPU_SPARE_S ? limit.rlim_max / CPU_PART : CPU_SPARE_S;
    cpu_before = limit;
    limit.rlim_cur = limit.rlim_max - (spare > 0 ? spare : 1);
    has_parted_cpu = limit.rlim_cur > 0 && setrlimit(RLIMIT_CPU, &limit) == 0;
}

void preemption_watch(void)
{
    for (size_t i = 0; i < WATCHED; i++) {
        struct sigaction action = {.sa_handler = watched[i].flag ? note : SIG_IGN, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        received[i] = 0;
        if (is_taken[i] || sigaction(watched[i].signal, NULL, &before[i]) ||
            (watched[i].stays_ignored && before[i].sa_handler == SIG_IGN))
            continue;
        is_taken[i] = sigaction(watched[i].signal, &action, NULL) == 0;
    }
    part_cpu_limits();
}

void preemption_release(void)
{
    for (size_t i = 0; i < WATCHED; i++) {
        if (is_taken[i])
            sigaction(watched[i].signal, &before[i], NULL);
        is_taken[i] = false;
    }
    if (has_parted_cpu)
        setrlimit(RLIMIT_CPU, &cpu_before);
    has_parted_cpu = false;
}

unsigned preemption_flags(void)
{
    unsigned flags = 0;
    for (size_t i = 0; i < WATCHED; i++) {
        if (!received[i])
            continue;
        flags |= watched[i].flag;
        /* Before the save, so that a signal that comes from now on asks for another one. */
        if (!(watched[i].flag & LEAVE_ALL))
            received[i] = 0;
    }
    return flags;
}

unsigned preemption_wishes_to_leave(void)
{
    unsigned flags = 0;
    for (size_t i = 0; i < WATCHED; i++)
        flags |= received[i] ? watched[i].flag & LEAVE_ALL : 0;
    return flags;
}

const char *preemption_reason(unsigned flags)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (flags & watched[i].flag)
            return watched[i].name;
    return "none";
}
