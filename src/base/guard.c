#include "base/guard.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

struct guarded {
    sigjmp_buf back;
    const void *volatile where;
};

static _Thread_local struct guarded *volatile current;
static struct sigaction before;

/* Outside of guarded work: as it was before. The instruction that failed is tried again, and fails again. */
static void handle(int number, siginfo_t *info, void *context)
{
    struct guarded *guarded = current;
    (void)context;
    if (!guarded) {
        sigaction(number, &before, NULL);
        return;
    }
    guarded->where = info->si_addr;
    siglongjmp(guarded->back, 1);
}

/* With SA_NODEFER the mask is as it was when the work is left, and need not be saved at each call. */
static void install(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
}

bool guard_run(void (*work)(void *), void *context, const void **where)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct guarded guarded, *volatile outer = current;
    pthread_once(&once, install);
    if (sigsetjmp(guarded.back, 0)) {
        current = outer;
        *where = guarded.where;
        return false;
    }
    current = &guarded;
    work(context);
    current = outer;
    return true;
}
