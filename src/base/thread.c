#include "base/thread.h"

#include <sched.h>
#include <signal.h>

/* What a thread brings upon itself has to reach its handler (base/guard.h): the kernel ends the process if it is
 * blocked. */
static const int own_faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP};

bool thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
    sigset_t others, before;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof own_faults / sizeof *own_faults; i++)
        sigdelset(&others, own_faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    bool ok = pthread_create(thread, NULL, run, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    /* Its share of the core stays the same. On a core that is bound, waking the saver cost training 4 ms at once. */
    if (ok)
        pthread_setschedparam(*thread, SCHED_BATCH, &(struct sched_param){0});
    return ok;
}

void thread_init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec thread_end(double seconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    long nanoseconds = end.tv_nsec + (long)(1e9 * (seconds - (double)(time_t)seconds));
    end.tv_sec += (time_t)seconds + nanoseconds / 1000000000;
    end.tv_nsec = nanoseconds % 1000000000;
    return end;
}
