/* RUN/history.jsonl: what becomes of every start of the program in a run directory. Lines are only appended, each made
 * durable, by rank 0; a last line that a power cut has torn is dropped at the next start. Whole lines count also
 * in a file that an editor or another system has written anew: with a mark in front, other line breaks, without the
 * last one. A disk that takes no line gets a warning, and training goes on.
 *
 *   {"event":"earlier", ...}    a life that only a checkpoint's provenance tells of: the file is younger than the run
 *   {"event":"begin","segment":2,"unix":U,"step":S,"ranks":R,"nodes":N,"hosts":"...","changes":"C",
 *    "version":"V","program":"P", (C: of the job, if it has changed, see struct segment; P: with its build, see
 *    environment.h)
 *    "boot":"I","up_s":B,        (when it was started, on the monotonic clock of this boot of rank 0's machine)
 *    "job":"J","restart":N,      (only in a batch job: its number, and how often it was requeued)
 *    "previous_step":P,"previous_unix":Q,"previous_alive_s":L}
 *   {"event":"seen","unix":U,"previous_step":P,"previous_unix":Q,"previous_alive_s":L}
 *    (of the life before, which was killed, by a start that is about to cut these steps out of the metrics)
 *   {"event":"ready","unix":U,"start_s":T}                  the first step is made, T after the start of the program
 *   {"event":"interval","unix":U,"step":S,"stall_s":A,"write_s":B,"period_s":C}    of checkpoint.every: auto
 *   {"event":"end","unix":U,"step":S,"reason":"...","interrupted":false,"alive_s":L,"saves":K,"stall_s":A,"write_s":B,
 *    "step_s":X}   (of the last step; and "transient":true if the reason may be gone later)
 *
 * `lives.h` reads them. */
#ifndef RUN_HISTORY_LOG_H
#define RUN_HISTORY_LOG_H

#include "checkpoint/record.h"
#include "run/lives.h"
#include "run/metrics.h"

#define HISTORY_MOST ((size_t)1 << 30) /* bytes of the file: some lines for each start */

struct history_log {
    struct metrics lines; /* closed: all calls do nothing (ranks other than 0) */
    struct text known;    /* what a file that is begun anew begins with: the lives before, as far as a checkpoint knows
                           * them, and how this one has begun */
    size_t earlier;       /* bytes of it that tell of the lives before */
    uint64_t life;        /* this life's number, from 1 */
    double began_unix;    /* when it began, 0: it has not told so yet; */
    uint64_t began_step;  /* and with which step */
    uint64_t seen_step;   /* what the metrics tell of the life before, if it has not told its end */
    double seen_unix;     /* 0: it has */
    double seen_alive_s;  /* 0: they do not tell */
    double silent_s;      /* since it was last heard of, on a clock that nobody sets; NaN: not known */
    bool is_finished;     /* and that the job was finished then */
};

/* Local. A closed one. */
void history_log_init(struct history_log *history);

/* Local, rank 0's work. Opens or creates the file; anew: without what was in it. now: how the last life stands. A new
 * file begins with the `count` earlier segments that the checkpoint knows. Returns what is known of all lives so far.
 */
struct lives_total history_log_open(struct history_log *history, const char *run, bool anew,
                                    const struct lives_now *now, const struct segment *segments, size_t count);

/* Local, rank 0's work, before a start cuts the metrics to this step: what they tell of a life that has not told its
 * end is kept here. A start may be killed before it tells anything itself. */
void history_log_note(const char *run, uint64_t step);

/* Local. How long the newest start of the run that came to a step has taken for that, in seconds; 0: none is known.
 * Only reads. */
double history_log_start_s(const char *run);

/* Local, now and then: a file that somebody has deleted under the job is begun anew, with this life in it; one that has
 * taken its place gets this life, if it does not know it. A life that no file tells of would be taken for none. */
enum metrics_fate history_log_keep(struct history_log *history);

/* Local. Accepts a closed one. */
void history_log_close(struct history_log *history);

/* Local. The lines of this life. start_s: how long ago the program was started. */
void history_log_begin(struct history_log *history, const struct segment *segment, uint64_t step, double start_s);
void history_log_ready(struct history_log *history, double start_s);
void history_log_interval(struct history_log *history, uint64_t step, double stall_s, double write_s, double period_s);

/* How a life has ended. */
struct history_log_ending {
    const char *reason;      /* its first line counts */
    bool interrupted;        /* it was not the job's own decision */
    double alive_s;          /* how long it has lived */
    bool transient;          /* the reason may be gone later */
    uint64_t saves;          /* committed in this life */
    double stall_s, write_s; /* of one of them */
    double step_s;           /* of the last one; 0: there was none */
};

/* Local. The last line. */
void history_log_end(struct history_log *history, uint64_t step, const struct history_log_ending *ending);

/* Local. Appends the lines `earlier` for segments of a checkpoint. */
void history_log_earlier(const struct segment *segments, size_t count, struct text *lines);

#endif
