#include "train/preemption.h"

#include <signal.h>
#include <stddef.h>

static const struct {
    int signal;
    unsigned flag;
    const char *name;
} watched[] = {
    {SIGTERM, PREEMPTION_SIGTERM, "SIGTERM"}, {SIGUSR2, PREEMPTION_SIGUSR2, "SIGUSR2"},
    {SIGINT, PREEMPTION_SIGINT, "SIGINT"},    {SIGUSR1, PREEMPTION_SIGUSR1, "SIGUSR1"}, /* perhaps only a warning */
    {SIGALRM, PREEMPTION_SIGALRM, "SIGALRM"},
};
#define WATCHED (sizeof watched / sizeof *watched)

static volatile sig_atomic_t received[WATCHED];

static void note(int number)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (watched[i].signal == number)
            received[i] = 1;
    /* Who presses Ctrl-C twice does not want to wait for a save. */
    if (number == SIGINT)
        signal(SIGINT, SIG_DFL);
}

void preemption_watch(void)
{
    for (size_t i = 0; i < WATCHED; i++) {
        struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        sigaction(watched[i].signal, &action, NULL);
    }
}

unsigned preemption_flags(void)
{
    unsigned flags = 0;
    for (size_t i = 0; i < WATCHED; i++) {
        if (!received[i])
            continue;
        flags |= watched[i].flag;
        /* Before the save, so that a signal that comes from now on asks for another one. */
        if (!(watched[i].flag & PREEMPTION_LEAVE))
            received[i] = 0;
    }
    return flags;
}

const char *preemption_reason(unsigned flags)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (flags & watched[i].flag)
            return watched[i].name;
    return "none";
}
