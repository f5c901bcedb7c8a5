#include "base/timeline.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>

#define DEPTH 16

#define WORD(name, word) word,
static const char *const words[] = {TIMELINE_MARKS(WORD)};

struct track {
    const char *thread;
    struct timeline_event open[DEPTH]; /* those that have begun */
    size_t depth;
    struct timeline_event *ring; /* [capacity] */
    size_t capacity;
    uint64_t count;
    struct track *next;
};

static struct {
    _Atomic uint64_t opening; /* 0: closed; else the how manieth it is */
    uint64_t openings;
    size_t events;
    pthread_mutex_t mutex; /* of the list */
    struct track *first, *last;
} timeline = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Of this thread: its track, if it has one in this opening. */
static _Thread_local struct {
    const char *thread;
    uint64_t opening;
    struct track *track;
} own = {.thread = "other"};

static void make_track(uint64_t opening)
{
    struct track *track = memory_need(1, sizeof *track);
    *track = (struct track){.thread = own.thread, .capacity = timeline.events};
    track->ring = memory_need(track->capacity, sizeof *track->ring);
    pthread_mutex_lock(&timeline.mutex);
    *(timeline.last ? &timeline.last->next : &timeline.first) = track;
    timeline.last = track;
    pthread_mutex_unlock(&timeline.mutex);
    own.opening = opening;
    own.track = track;
}

void timeline_open(size_t events)
{
    CHECK(timeline.opening == 0 && events > 0, "a timeline is opened once");
    timeline.events = events;
    make_track(++timeline.openings);
    atomic_store(&timeline.opening, timeline.openings);
}

void timeline_close(void)
{
    atomic_store(&timeline.opening, 0);
    for (struct track *track = timeline.first, *next; track; track = next) {
        next = track->next;
        memory_free(track->ring);
        memory_free(track);
    }
    timeline.first = timeline.last = NULL;
}

void timeline_name_thread(const char *name)
{
    own.thread = name;
}

static void begin(enum timeline_mark mark, uint32_t part)
{
    uint64_t opening = atomic_load_explicit(&timeline.opening, memory_order_acquire);
    if (opening == 0)
        return;
    if (own.opening != opening)
        make_track(opening);
    CHECK(own.track->depth < DEPTH, "intervals nest so deep");
    own.track->open[own.track->depth++] = (struct timeline_event){mark, part, clock_seconds(), 0};
}

void timeline_begin(enum timeline_mark mark)
{
    begin(mark, TIMELINE_NO_PART);
}

void timeline_begin_part(enum timeline_mark mark, size_t part)
{
    begin(mark, (uint32_t)part);
}

void timeline_end(void)
{
    uint64_t opening = atomic_load_explicit(&timeline.opening, memory_order_acquire);
    /* What has begun before the opening is not kept. */
    if (opening == 0 || own.opening != opening || own.track->depth == 0)
        return;
    struct track *track = own.track;
    struct timeline_event *event = &track->ring[track->count++ % track->capacity];
    *event = track->open[--track->depth];
    event->end_s = clock_seconds();
}

size_t timeline_track_count(void)
{
    size_t count = 0;
    pthread_mutex_lock(&timeline.mutex);
    for (const struct track *track = timeline.first; track; track = track->next)
        count++;
    pthread_mutex_unlock(&timeline.mutex);
    return count;
}

struct timeline_track timeline_track(size_t index)
{
    pthread_mutex_lock(&timeline.mutex);
    const struct track *track = timeline.first;
    while (track && index-- > 0)
        track = track->next;
    pthread_mutex_unlock(&timeline.mutex);
    CHECK(track, "there are so many threads");
    return (struct timeline_track){.thread = track->thread,
                                   .count = track->count,
                                   .kept = track->count < track->capacity ? track->count : track->capacity,
                                   .ring = track->ring,
                                   .capacity = track->capacity};
}

const char *timeline_word(enum timeline_mark mark)
{
    return words[mark];
}
