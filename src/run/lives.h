/* The lives of a run: one for each start of the program in its directory, as the lines of RUN/history.jsonl tell
 * (see history_log.h), also of those that were killed before their first save.
 *
 * How long a life was is what it has measured itself, on a clock that nobody sets. Where that is missing (lines of
 * older versions), it is what lies between two dates, if that is plausible (clock.h), else nothing.
 *
 * Nobody writes down a kill. It shows in that there is no end; how far a killed life had come and until when it lived
 * is seen by the next one, in metrics.jsonl, and told in the line of its begin, or before that in one of its own
 * (`seen`). */
#ifndef RUN_LIVES_H
#define RUN_LIVES_H

#include "base/clock.h"
#include "base/text.h"
#include "checkpoint/reason.h"

#include <stddef.h>
#include <stdint.h>

#define LIFE_TEXT 200

struct life {
    double began_unix;
    double alive_s;              /* as far as it is known */
    char boot[CLOCK_BOOT_BYTES]; /* of the machine on which it was (clock_boot), "": unknown; and when it began, on the
                                  */
    double up_s;                 /* clock_seconds of that */
    double waited_s; /* since the end of the life before: for the scheduler, or for somebody; NaN: the first, or not
                        known */
    uint64_t ranks, nodes;
    char hosts[LIFE_TEXT];   /* names, comma-separated */
    char changes[LIFE_TEXT]; /* in what its job differs from that of the checkpoint it went on from (struct segment) */
    char version[32];        /* of lockstep; "": unknown */
    char program[96];        /* the same, and its build; "": unknown */
    char job[64];            /* of the batch system; "": none */
    uint64_t restart;        /* how often that had requeued it */
    uint64_t step;           /* that it began with, */
    uint64_t reached;        /* and that it came to */
    double start_s;          /* from the start of the program to the end of its first step; NaN: unknown */
    char end[LIFE_TEXT];     /* "finished", "SIGUSR1", "failed: ...", "killed", ... */
    enum reason reason;      /* the same, for decisions */
    bool ended;              /* in order: it could tell itself */
    bool interrupted;        /* killed, preempted or failed */
    double saves;            /* checkpoints that it committed, what one cost training, and took; NaN: unknown */
    double stall_s, write_s;
    double step_s;       /* of the last one; NaN: unknown */
    bool transient;      /* it failed for a reason that may be gone later: a full disk, say */
    uint64_t lost_steps; /* made, and made again by the next life */
    double lost_s;       /* for these steps, and for starting again (all but the first life) */
};

struct lives {
    struct life *items;
    size_t count, capacity;
};

/* How the last life stands if it has not told its end. */
struct lives_now {
    bool running;
    uint64_t step;  /* the largest of metrics.jsonl, */
    double unix_s;  /* and when that was written; running: now */
    double alive_s; /* how long it had lived by then, as it has told; 0: it has not */
    uint64_t saved; /* the step that a start would resume from */
};

struct lives_total {
    uint64_t interruptions;
    double alive_s, lost_s;
    uint64_t lost_steps;
    double start_s, stall_s, write_s; /* the newest that are known; 0: none */
    double step_s;                    /* the same, of all ranks together: on one it would take this long */
};

/* Local. Reads lines[0 ... count); what is not whole, not known or no number that can be meant is passed over. The
 * caller owns the lives (lives_release). */
void lives_parse(struct lives *lives, const char *lines, size_t count, const struct lives_now *now);
void lives_release(struct lives *lives);

/* Local. */
struct lives_total lives_sum(const struct lives *lives);

/* Local. Appends a life as a line of JSON, without a line break. */
void lives_write(const struct life *life, size_t number, struct text *line);

#endif
