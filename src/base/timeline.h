/* What the threads of this process do, as intervals that nest, with the clock at their ends: what `lockstep bench` adds
 * up, and --trace draws. As a rule nobody wants to know, and then a mark costs the look at one variable. As the
 * watchdog it is one for the process, so that who marks need not be told who looks. */
#ifndef BASE_TIMELINE_H
#define BASE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is marked, in the order in which a step comes to it, with its word for people and programs; then what goes on
 * beside steps. */
/* clang-format off */
#define TIMELINE_MARKS(ROW) \
    ROW(STEP, "step") ROW(SAMPLES, "samples") ROW(FORWARD, "forward") ROW(LOSS, "loss") ROW(BACKWARD, "backward") \
    ROW(COMBINE, "combine") ROW(AGREEMENT, "agreement") ROW(WAIT, "wait") ROW(SUM, "sum") ROW(NORM, "norm") \
    ROW(UPDATE, "update") ROW(DISTRIBUTE, "distribute") ROW(METRICS, "metrics") ROW(BOUNDARY, "boundary") \
    ROW(VALIDATION, "validation") ROW(BEGIN_SAVE, "begin_save") \
    ROW(SAVE, "save") ROW(DIGEST, "digest") ROW(LAYOUT, "layout") ROW(WRITE, "write") ROW(SYNC, "sync") \
    ROW(READ_BACK, "read_back") ROW(PUBLISH, "publish") ROW(RENAME, "rename") ROW(PRUNE, "prune") ROW(READ, "read")
/* clang-format on */
#define TIMELINE_ENUM(name, word) MARK_##name,
enum timeline_mark { TIMELINE_MARKS(TIMELINE_ENUM) TIMELINE_MARK_COUNT };

#define TIMELINE_NO_PART UINT32_MAX

struct timeline_event {
    enum timeline_mark mark;
    uint32_t part;         /* which one of its kind (the layer); TIMELINE_NO_PART: it has no kinds */
    double begin_s, end_s; /* of clock_seconds */
};

/* Local, in the thread that trains. From here on marks are kept: of each thread the newest `events`. While it is open:
 * once. */
void timeline_open(size_t events);

/* Local, once all other threads that mark are gone or rest. Accepts a closed one. */
void timeline_close(void);

/* Local, in any thread. What this thread is called; borrowed, for ever. One that does not say so is "other". */
void timeline_name_thread(const char *name);

/* Local, in any thread. An interval of this thread begins; the last one that began ends. */
void timeline_begin(enum timeline_mark mark);
void timeline_begin_part(enum timeline_mark mark, size_t part);
void timeline_end(void);

/* What is kept of a thread: events [count - kept, count) of those that have ended, in the order in which they did. */
struct timeline_track {
    const char *thread;
    uint64_t count, kept;
    const struct timeline_event *ring; /* [capacity] */
    size_t capacity;
};

/* Local. How many threads have marked anything, and what is kept of one of them, the first being that which has opened
 * it: borrowed, and true while that thread marks nothing. */
size_t timeline_track_count(void);
struct timeline_track timeline_track(size_t index);

static inline const struct timeline_event *timeline_event(const struct timeline_track *track, uint64_t number)
{
    return &track->ring[number % track->capacity];
}

/* Local. "forward". Borrowed. */
const char *timeline_word(enum timeline_mark mark);

#endif
