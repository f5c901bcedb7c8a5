#include "base/watchdog.h"

#include "base/check.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#define PERIOD_S 0.25

static struct {
    _Atomic uint64_t calls;     /* begun and ended: odd while one goes on */
    _Atomic(const char *) what; /* that is waited for */
    _Atomic double limit_s;     /* of this call; 0: none */
    _Atomic bool is_meeting;
    struct watchdog_limits limits;
    unsigned depth;  /* of calls in calls; the thread's that is watched, */
    pthread_t owner; /* while it is open */
    void (*lost)(const struct error *error);

    bool is_open;
    pthread_t thread;
    pthread_mutex_t mutex; /* of `leaving` */
    pthread_cond_t change;
    bool leaving;
} dog = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static const char *const words[] = {
    "%s on %s has not answered for %g s: its disk or file system hangs. Started again, the job goes on from its newest "
    "checkpoint",
    "%s: on %s this has not ended for %g s (LOCKSTEP_START_TIMEOUT): a rank has not come to it, has failed in it alone, "
    "or hangs. Started again, the job goes on from its newest checkpoint",
};

static bool nap(void)
{
    struct timespec end = thread_end(PERIOD_S);
    int code = 0;
    pthread_mutex_lock(&dog.mutex);
    while (!dog.leaving && code == 0)
        code = pthread_cond_timedwait(&dog.change, &dog.mutex, &end);
    bool goes_on = !dog.leaving;
    pthread_mutex_unlock(&dog.mutex);
    return goes_on;
}

/* Counts own naps, not time: a process that was stopped has not waited. */
static void *thread(void *unused)
{
    uint64_t seen = 0;
    double waited_s = 0;
    (void)unused;
    while (nap()) {
        uint64_t calls = atomic_load(&dog.calls);
        waited_s = calls % 2 && calls == seen ? waited_s + PERIOD_S : 0;
        seen = calls;
        double limit_s = atomic_load(&dog.limit_s);
        if (limit_s == 0 || waited_s < limit_s || waited_s == 0 || atomic_load(&dog.calls) != calls)
            continue;
        struct error error;
        char host[256] = "";
        gethostname(host, sizeof host - 1);
        error_set(&error, ERROR_LATE, words[atomic_load(&dog.is_meeting)], atomic_load(&dog.what), host, limit_s);
        dog.lost(&error);
    }
    return NULL;
}

bool watchdog_open(const struct watchdog_limits *limits, void (*lost)(const struct error *error), struct error *error)
{
    dog.limits = *limits;
    dog.lost = lost;
    if (dog.is_open)
        return true;
    dog.leaving = false;
    dog.owner = pthread_self();
    thread_init_condition(&dog.change);
    dog.is_open = thread_start(&dog.thread, thread, NULL);
    return dog.is_open ||
           error_set(error, ERROR_IO, "cannot start the thread of the watchdog; heartbeat: 0 does without");
}

void watchdog_limit(const struct watchdog_limits *limits)
{
    dog.limits = *limits;
}

void watchdog_close(void)
{
    if (!dog.is_open)
        return;
    pthread_mutex_lock(&dog.mutex);
    dog.leaving = true;
    pthread_cond_signal(&dog.change);
    pthread_mutex_unlock(&dog.mutex);
    pthread_join(dog.thread, NULL);
    pthread_cond_destroy(&dog.change);
    dog.is_open = false;
}

static void check_thread(void)
{
    CHECK(!dog.is_open || pthread_equal(dog.owner, pthread_self()), "one thread is watched");
}

static void begin(const char *what, double limit_s, bool is_meeting)
{
    check_thread();
    if (dog.depth++ > 0)
        return;
    atomic_store(&dog.what, what);
    atomic_store(&dog.limit_s, limit_s);
    atomic_store(&dog.is_meeting, is_meeting);
    atomic_fetch_add(&dog.calls, 1);
}

void watchdog_begin(const char *what, double limit_s)
{
    begin(what, limit_s > 0 && dog.limits.call_s > 0 ? limit_s : dog.limits.call_s, false);
}

void watchdog_begin_meeting(const char *what, double extra_s, bool is_alone)
{
    double limit_s = dog.limits.meeting_s > 0 ? dog.limits.meeting_s + extra_s : 0;
    begin(what, is_alone ? limit_s / 2 : limit_s, true);
}

void watchdog_end(void)
{
    check_thread();
    if (--dog.depth == 0)
        atomic_fetch_add(&dog.calls, 1);
}
