#include "data/prefetch.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/timeline.h"
#include "base/watchdog.h"

#include <sys/resource.h>
#include <time.h>

/* A read that costs more on the average is worth a thread: to wake one and to wait for it costs a tenth of that, also
 * where both have one core, and so nothing but time in front of a disk can be won. */
#define CHEAP_S 100e-6
#define WEIGHT  0.125 /* of the newest read in that average */

enum state {
    NOTHING, /* is there, or goes on */
    READING, /* the thread has place, leaf, indices, is_sound and cost_s; else the caller */
    THERE,   /* the leaf of `place` */
};

struct prefetch {
    const char *what;
    struct leaf_place place;
    struct leaf leaf;
    bool is_sound;     /* no read has failed up to that leaf */
    uint64_t *indices; /* [rows] of a leaf */
    double cost_s;     /* of a read, on the average */

    pthread_t thread;
    pthread_mutex_t mutex; /* of `state` and `leaving` */
    pthread_cond_t change;
    enum state state;
    bool leaving;
};

/* ---- reading, in either thread ---- */

static bool read(struct prefetch *prefetch, const struct leaf_place *place, struct leaf *leaf)
{
    struct error error;
    timeline_begin(MARK_READ);
    if (place->sampler)
        sampler_row(place->sampler, place->position, place->rows, prefetch->indices);
    else
        for (size_t i = 0; i < place->rows; i++)
            prefetch->indices[i] = place->position + i;
    dataset_read(place->dataset, prefetch->indices, place->rows, leaf);
    if (place->augmenter)
        augmenter_leaf(place->augmenter, place->sampler, place->position, prefetch->indices, place->rows, leaf);
    leaf->first = place->first;
    timeline_end();
    return !dataset_failed(place->dataset, &error);
}

static void note_cost(struct prefetch *prefetch, double seconds)
{
    prefetch->cost_s += WEIGHT * (seconds - prefetch->cost_s);
}

struct moment {
    double clock_s, work_s; /* work: of this thread */
    long waits;             /* of this thread, for a disk */
};

static struct moment moment_now(void)
{
    struct timespec work;
    struct rusage usage;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &work);
    getrusage(RUSAGE_THREAD, &usage);
    return (struct moment){clock_seconds(), (double)work.tv_sec + 1e-9 * (double)work.tv_nsec, usage.ru_nvcsw};
}

/* Where both threads have one core, the clock goes on while the other one works: that is not what the read costs. */
static void read_ahead(struct prefetch *prefetch)
{
    struct moment begin = moment_now(), end;
    prefetch->is_sound = read(prefetch, &prefetch->place, &prefetch->leaf);
    end = moment_now();
    note_cost(prefetch, end.waits > begin.waits ? end.clock_s - begin.clock_s : end.work_s - begin.work_s);
}

static bool read_now(struct prefetch *prefetch, const struct leaf_place *place, struct leaf *leaf)
{
    double begin_s = clock_seconds();
    watchdog_begin(prefetch->what, 0);
    bool ok = read(prefetch, place, leaf);
    watchdog_end();
    note_cost(prefetch, clock_seconds() - begin_s);
    return ok;
}

/* ---- the thread ---- */

static void *thread(void *argument)
{
    struct prefetch *prefetch = argument;
    timeline_name_thread("prefetch");
    pthread_mutex_lock(&prefetch->mutex);
    while (!prefetch->leaving) {
        if (prefetch->state != READING) {
            pthread_cond_wait(&prefetch->change, &prefetch->mutex);
            continue;
        }
        pthread_mutex_unlock(&prefetch->mutex);
        read_ahead(prefetch);
        pthread_mutex_lock(&prefetch->mutex);
        prefetch->state = THERE;
        pthread_cond_signal(&prefetch->change);
    }
    pthread_mutex_unlock(&prefetch->mutex);
    return NULL;
}

static void begin(struct prefetch *prefetch, const struct leaf_place *place)
{
    prefetch->place = *place;
    pthread_mutex_lock(&prefetch->mutex);
    prefetch->state = READING;
    pthread_cond_signal(&prefetch->change);
    pthread_mutex_unlock(&prefetch->mutex);
}

/* ---- for the caller ---- */

static void release(struct prefetch *prefetch)
{
    pthread_mutex_destroy(&prefetch->mutex);
    pthread_cond_destroy(&prefetch->change);
    leaf_release(&prefetch->leaf);
    memory_free(prefetch->indices);
    memory_free(prefetch);
}

bool prefetch_open(struct prefetch **opened, const struct leaf_form *form, size_t rows, const char *what,
                   struct error *error)
{
    struct prefetch *prefetch = memory_need(1, sizeof *prefetch);
    *opened = NULL;
    prefetch->what = what;
    prefetch->indices = memory_need(rows, sizeof *prefetch->indices);
    pthread_mutex_init(&prefetch->mutex, NULL);
    thread_init_condition(&prefetch->change);
    bool ok = leaf_init(&prefetch->leaf, form, rows, error) &&
              (thread_start(&prefetch->thread, thread, prefetch) ||
               error_set(error, ERROR_IO, "cannot start the thread that reads %s", what));
    if (ok)
        *opened = prefetch;
    else
        release(prefetch);
    return ok;
}

void prefetch_close(struct prefetch *prefetch)
{
    if (!prefetch)
        return;
    prefetch_rest(prefetch);
    pthread_mutex_lock(&prefetch->mutex);
    prefetch->leaving = true;
    pthread_cond_signal(&prefetch->change);
    pthread_mutex_unlock(&prefetch->mutex);
    pthread_join(prefetch->thread, NULL);
    release(prefetch);
}

void prefetch_rest(struct prefetch *prefetch)
{
    if (!prefetch)
        return;
    pthread_mutex_lock(&prefetch->mutex);
    if (prefetch->state == READING) {
        watchdog_begin(prefetch->what, 0);
        while (prefetch->state == READING)
            pthread_cond_wait(&prefetch->change, &prefetch->mutex);
        watchdog_end();
    }
    pthread_mutex_unlock(&prefetch->mutex);
}

static bool is_same(const struct leaf_place *one, const struct leaf_place *other)
{
    return one->dataset == other->dataset && one->sampler == other->sampler && one->augmenter == other->augmenter &&
           one->position == other->position && one->rows == other->rows && one->first == other->first;
}

bool prefetch_take(struct prefetch *prefetch, const struct leaf_place *place, const struct leaf_place *next,
                   struct leaf *leaf)
{
    bool ok;
    prefetch_rest(prefetch);
    if (prefetch->state == THERE && is_same(&prefetch->place, place)) {
        struct leaf used = *leaf;
        *leaf = prefetch->leaf;
        prefetch->leaf = used;
        ok = prefetch->is_sound;
    } else {
        ok = read_now(prefetch, place, leaf);
    }
    prefetch->state = NOTHING;
    if (next && prefetch->cost_s > CHEAP_S)
        begin(prefetch, next);
    return ok;
}
