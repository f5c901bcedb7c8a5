#include "base/wait.h"

#include "base/clock.h"

#include <time.h>

#define NAP_LEAST_NS 50000
#define NAP_MOST_NS  2000000
#define ABSENT_S     1.0 /* no nap makes the time between two looks this long: it was stopped, or busy otherwise */

struct wait wait_begin(double limit_s)
{
    double now = clock_seconds();
    return (struct wait){.end_s = now + limit_s, .looked_s = now, .nap_ns = NAP_LEAST_NS};
}

bool wait_is_over(struct wait *wait)
{
    double now = clock_seconds();
    if (now - wait->looked_s > ABSENT_S)
        wait->end_s += now - wait->looked_s;
    wait->looked_s = now;
    return now >= wait->end_s;
}

void wait_nap(struct wait *wait)
{
    nanosleep(&(struct timespec){.tv_nsec = wait->nap_ns}, NULL);
    wait->nap_ns = wait->nap_ns * 2 < NAP_MOST_NS ? wait->nap_ns * 2 : NAP_MOST_NS;
}

void wait_wake(struct wait *wait)
{
    wait->nap_ns = NAP_LEAST_NS;
}
