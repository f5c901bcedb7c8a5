/* A loop is announced by one word for each thread, `epoch | next | end`: parts [next, end) of its share are still to be
 * begun. Whoever exchanges it for one with next + 1 has part `next` to do. That is enough for a thread that comes late,
 * at any time: if its exchange succeeds, the loop of that word is not over before its part is done, so that what it
 * then reads of the loop is right; and if the loop is over, the word has another epoch, or nothing left. (A word is the
 * same again after 2^32 loops: a thread would have to stand still for hours between two instructions.) */
#include "base/team.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

/* Rounds of a wait with open eyes, each some tens of nanoseconds: a few times what it takes until a thread that is
 * woken runs (40 us on a virtual machine), so that what lies between two loops of a pass does not send it to sleep. */
#define SPINS 6000

struct member {
    _Alignas(MEMORY_ALIGNMENT) _Atomic uint64_t share;
    struct team *team;
    size_t index;
    pthread_t thread; /* of all but the first */
};

struct team {
    size_t threads;
    unsigned spins;
    struct member *members; /* [threads] */

    /* The loop: written by the caller before it is announced. */
    void (*part)(void *context, size_t i, size_t thread);
    void *context;
    bool runs; /* the caller is in one */

    cpu_set_t cores; /* that all may run on */
    int avoided;     /* the one of them where the caller ran last; -1: none so far */

    _Alignas(MEMORY_ALIGNMENT) _Atomic uint32_t epoch; /* of the loop that was announced last */
    atomic_bool leaving;
    atomic_uint sleepers;

    _Alignas(MEMORY_ALIGNMENT) atomic_size_t left; /* parts that are not done */
    atomic_bool caller_sleeps;

    pthread_mutex_t mutex; /* for those who sleep */
    pthread_cond_t begins, ends;
};

/* ---- the words ---- */

static uint64_t word_of(uint32_t epoch, size_t next, size_t end)
{
    return (uint64_t)epoch << 32 | (uint64_t)next << 16 | (uint64_t)end;
}

static bool has_left(uint64_t word)
{
    return (word >> 16 & 0xffff) < (word & 0xffff);
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- in all threads ---- */

/* The last part is done: the caller may be asleep over it. Both sides write before they read, in one order for all
 * (seq_cst), so that one of them sees the other. */
static void note_done(struct team *team)
{
    if (atomic_fetch_sub(&team->left, 1) == 1 && atomic_load(&team->caller_sleeps)) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_signal(&team->ends);
        pthread_mutex_unlock(&team->mutex);
    }
}

/* Parts as long as there are any, its own share first. */
static void work(struct team *team, size_t thread)
{
    for (size_t turn = 0; turn < team->threads; turn++) {
        struct member *member = &team->members[(thread + turn) % team->threads];
        uint64_t word = atomic_load_explicit(&member->share, memory_order_acquire);
        while (has_left(word)) {
            /* A failed exchange brings the word that is there instead. */
            if (!atomic_compare_exchange_weak_explicit(&member->share, &word, word + ((uint64_t)1 << 16),
                                                       memory_order_acq_rel, memory_order_acquire))
                continue;
            team->part(team->context, word >> 16 & 0xffff, thread);
            note_done(team);
            word = atomic_load_explicit(&member->share, memory_order_acquire);
        }
    }
}

/* ---- in the others ---- */

static bool is_new(struct team *team, uint32_t seen)
{
    return atomic_load(&team->epoch) != seen || atomic_load(&team->leaving);
}

static void sleep_until_new(struct team *team, uint32_t seen)
{
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->sleepers, 1);
    while (!is_new(team, seen))
        pthread_cond_wait(&team->begins, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void *serve(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    for (uint32_t seen = 0;; work(team, member->index)) {
        for (unsigned spins = team->spins; spins > 0 && !is_new(team, seen); spins--)
            pause_briefly();
        if (!is_new(team, seen))
            sleep_until_new(team, seen);
        if (atomic_load(&team->leaving))
            return NULL;
        seen = atomic_load(&team->epoch);
    }
}

/* ---- for the caller ---- */

/* The others keep off the core that the caller runs on. The system wakes a thread where its waker runs, if it so likes,
 * and lets it queue there for milliseconds beside idle cores; and in the end the caller would have done all by itself.
 * Where there is just one core for each, each has one. */
static void keep_off(struct team *team)
{
    int core = sched_getcpu();
    cpu_set_t rest = team->cores;
    if (core == team->avoided || core < 0 || CPU_COUNT(&rest) < 2)
        return;
    team->avoided = core;
    CPU_CLR((size_t)core, &rest);
    bool one_each = (size_t)CPU_COUNT(&rest) == team->threads - 1;
    for (size_t t = 1, next = 0; t < team->threads; t++, next++) {
        cpu_set_t own = rest;
        while (one_each && !CPU_ISSET(next, &rest))
            next++;
        if (one_each) {
            CPU_ZERO(&own);
            CPU_SET(next, &own);
        }
        pthread_setaffinity_np(team->members[t].thread, sizeof own, &own);
    }
}

static void wake(struct team *team)
{
    if (atomic_load(&team->sleepers) == 0)
        return;
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->begins);
    pthread_mutex_unlock(&team->mutex);
}

static void await_end(struct team *team)
{
    for (unsigned spins = team->spins; spins > 0; spins--) {
        if (atomic_load_explicit(&team->left, memory_order_acquire) == 0)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&team->mutex);
    atomic_store(&team->caller_sleeps, true);
    while (atomic_load(&team->left) > 0)
        pthread_cond_wait(&team->ends, &team->mutex);
    atomic_store(&team->caller_sleeps, false);
    pthread_mutex_unlock(&team->mutex);
}

void team_run(struct team *team, size_t parts, void (*part)(void *context, size_t i, size_t thread), void *context)
{
    if (!team || parts < 2) {
        for (size_t i = 0; i < parts; i++)
            part(context, i, 0);
        return;
    }
    CHECK(parts <= TEAM_PARTS_MOST && !team->runs, "a loop has its number of parts, and none inside");
    uint32_t epoch = atomic_load_explicit(&team->epoch, memory_order_relaxed) + 1;
    keep_off(team);
    team->runs = true;
    team->part = part;
    team->context = context;
    atomic_store_explicit(&team->left, parts, memory_order_relaxed);
    for (size_t t = 0; t < team->threads; t++)
        atomic_store_explicit(&team->members[t].share,
                              word_of(epoch, t * parts / team->threads, (t + 1) * parts / team->threads),
                              memory_order_release);
    atomic_store(&team->epoch, epoch);
    wake(team);
    work(team, 0);
    await_end(team);
    team->runs = false;
}

size_t team_threads(const struct team *team)
{
    return team ? team->threads : 1;
}

size_t team_cores(void)
{
    cpu_set_t own;
    return sched_getaffinity(0, sizeof own, &own) == 0 && CPU_COUNT(&own) > 0 ? (size_t)CPU_COUNT(&own) : 1;
}

bool team_open(struct team **opened, size_t threads, struct error *error)
{
    struct team *team = memory_need(1, sizeof *team);
    *opened = NULL;
    CHECK(threads > 0 && threads <= TEAM_THREADS_MOST, "a team has its number of threads");
    team->members = memory_need(threads, sizeof *team->members);
    /* Who spins on a core that another one of them needs is in its way. */
    team->spins = threads <= team_cores() ? SPINS : 0;
    team->avoided = -1;
    if (sched_getaffinity(0, sizeof team->cores, &team->cores) != 0)
        CPU_ZERO(&team->cores);
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->begins, NULL);
    pthread_cond_init(&team->ends, NULL);
    for (team->threads = 1; team->threads < threads; team->threads++) {
        struct member *member = &team->members[team->threads];
        member->team = team;
        member->index = team->threads;
        if (!thread_start(&member->thread, serve, member)) {
            error_set(error, ERROR_IO, "cannot start thread %zu of %zu that compute: the system has no more",
                      team->threads + 1, threads);
            team_close(team);
            return false;
        }
        /* They train, and do not give way as threads beside training do. */
        pthread_setschedparam(member->thread, SCHED_OTHER, &(struct sched_param){0});
    }
    *opened = team;
    return true;
}

void team_close(struct team *team)
{
    if (!team)
        return;
    pthread_mutex_lock(&team->mutex);
    atomic_store(&team->leaving, true);
    pthread_cond_broadcast(&team->begins);
    pthread_mutex_unlock(&team->mutex);
    for (size_t t = 1; t < team->threads; t++)
        pthread_join(team->members[t].thread, NULL);
    pthread_cond_destroy(&team->begins);
    pthread_cond_destroy(&team->ends);
    pthread_mutex_destroy(&team->mutex);
    memory_free(team->members);
    memory_free(team);
}
