/* The life of a supervised job: its states, what can happen in each, and what is done then, as one table (in
 * supervision.c), and the counts by which it goes on, pauses or gives up. Nothing is looked at or started here: who
 * does that (supervisor.h, launch.h) turns what it sees into an event, and does the action that the table answers with.
 *
 * Two kinds of actions: those that take their time end with the next event, of which the comments below tell the
 * possible ones; the others are done on the spot, while one of the first kind goes on, when something happens
 * meanwhile. */
#ifndef LAUNCH_SUPERVISION_H
#define LAUNCH_SUPERVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum supervision_state {
    STATE_NEW,             /* nothing was launched yet */
    STATE_STARTING,        /* a launcher is being started */
    STATE_BEGINNING,       /* it runs, and the job was not seen at work */
    STATE_BEGINNING_ASKED, /* the same, and somebody wants the job to leave; so with the others */
    STATE_WORKING,         /* the job is at work, or has been */
    STATE_WORKING_ASKED,
    STATE_STOPPING, /* the launcher does not end by itself, and is ended */
    STATE_STOPPING_ASKED,
    STATE_ENDED, /* it is gone: what has become of the job? */
    STATE_ENDED_ASKED,
    STATE_BETWEEN, /* two launches: a pause, or it is found out whether there is sense in another */
    STATE_BETWEEN_ASKED,
    STATE_LEAVING,  /* no more launches here: its batch system is to start it again */
    STATE_FINISHED, /* from here on all is over */
    STATE_LEFT,
    STATE_GAVE_UP,
    STATE_REFUSED,
    STATE_COUNT
};

enum supervision_event {
    /* What may come of another launch. */
    EVENT_SENSE,      /* there is sense in it */
    EVENT_NO_SENSE,   /* it would come to nothing again */
    EVENT_NO_TIME,    /* the batch job is ending, or too little of its time is left */
    EVENT_PAUSE_OVER, /* or cut short, or there was no sense in one */
    EVENT_LAUNCHED,   /* the launcher runs */
    EVENT_NO_LAUNCH,  /* it cannot be started, and never could */
    /* What is seen of a launch. */
    EVENT_AT_WORK,   /* the job has the lock of its run: the launch's, or ranks that have outlived theirs */
    EVENT_LIVED,     /* it had it, for less time than lies between two looks */
    EVENT_SLOW,      /* it takes too long to begin */
    EVENT_SILENT,    /* too long ago that the job, which was at work, was seen or has written */
    EVENT_STAYS,     /* a launcher that is being ended is still there */
    EVENT_LAST_CALL, /* Slurm is about to kill all that is left, also this process */
    EVENT_GONE,      /* the launcher has ended */
    /* What somebody wants. */
    EVENT_ASKED,    /* the job is to leave */
    EVENT_INSISTED, /* the same by a second Ctrl-C: at once */
    EVENT_SAVE,     /* the job is to save, and go on */
    EVENT_LIMIT,    /* nothing: the signal announces an end that the job, which was at work, knows */
    /* What a launch has come to (ending.h), ... */
    EVENT_FINISHED,
    EVENT_SAVED, /* ENDING_LEFT */
    EVENT_PAUSED,
    EVENT_FAILED,
    EVENT_KILLED,
    EVENT_NOT_BEGUN,
    EVENT_EXCUSED, /* the same, for a reason that passes: it does not count, EXCUSED_MOST times */
    EVENT_REFUSED,
    EVENT_MOVED, /* or any of these but the first, and somebody has moved the run directory */
    /* ... and all of them. */
    EVENT_HANDED_OVER, /* whoever starts it again has it now */
    EVENT_COUNT
};

enum supervision_action {
    ACTION_NONE,
    /* Those that take their time. Signals and work are heard and seen while it thinks over, pauses and watches. */
    ACTION_THINK_OVER, /* EVENT_SENSE, EVENT_NO_TIME, but for the first launch EVENT_NO_SENSE */
    ACTION_LAUNCH,     /* EVENT_LAUNCHED, EVENT_NO_LAUNCH, EVENT_NOT_BEGUN, EVENT_EXCUSED, EVENT_MOVED */
    ACTION_WATCH,      /* EVENT_GONE */
    ACTION_JUDGE,      /* what a launch has come to */
    ACTION_PAUSE,      /* EVENT_PAUSE_OVER */
    ACTION_HAND_OVER,  /* EVENT_HANDED_OVER, EVENT_NO_SENSE */
    /* Those on the spot. */
    ACTION_PASS_ON,      /* the signal, to the launcher */
    ACTION_ASK_AGAIN,    /* ranks that were not there yet have not heard it */
    ACTION_EXPLAIN,      /* why the signal is not passed on */
    ACTION_TERMINATE,    /* the launcher */
    ACTION_STOP,         /* the same; and then it is to be killed if it stays */
    ACTION_KILL,         /* and all that is left of its processes */
    ACTION_REQUEUE_SOON, /* has the batch job requeued, before its processes have ended */
    ACTION_COUNT
};

struct supervision {
    enum supervision_state state;
    size_t launches; /* so far */
    size_t worked;   /* the one in which the job was seen at work last (1, ...); 0: none */
    int not_begun;   /* launches in a row that have not come to a life, */
    int excused;     /* and how many of these do not count */
    int slow;        /* launches in a row that were ended before they had begun */
};

struct supervision_row {
    uint32_t states; /* bit s: in state s */
    enum supervision_event event;
    enum supervision_state next; /* STATE_COUNT: it stays the same */
    enum supervision_action action;
};

/* Local. The first action is ACTION_THINK_OVER. */
void supervision_init(struct supervision *supervision);

/* Local. What is settled for this event in this state; NULL: it cannot happen there. */
const struct supervision_row *supervision_find(enum supervision_state state, enum supervision_event event);

/* Local. It has happened. Returns what is to be done now. An event that cannot happen in this state is a bug. */
enum supervision_action supervision_step(struct supervision *supervision, enum supervision_event event);

/* Local. Whether all is over; whether somebody wants the job to leave. */
bool supervision_is_over(const struct supervision *supervision);
bool supervision_is_asked(const struct supervision *supervision);

/* Local. Whether it is in this state, asked to leave or not. */
bool supervision_is(const struct supervision *supervision, enum supervision_state state);

/* Local. Whether the job was seen at work in the newest launch, which may be over. */
bool supervision_has_worked(const struct supervision *supervision);

/* In what follows, `futile` is the number of the last lives in a row from which the run has nothing (ending_futile). */

/* Local. Launches in a row from which it has nothing, and that count; whether they are fewer than `restarts`. */
int supervision_launches(const struct supervision *supervision, size_t futile);
bool supervision_may_go_on(const struct supervision *supervision, size_t futile, int restarts);

/* Local. How long to wait before the next launch, in seconds, for what has hit the job to pass. */
double supervision_pause_s(const struct supervision *supervision, size_t futile);

/* Local. How long the next launch may take to begin if it is `limit_s` else (0: for ever): the same nodes may need
 * longer than they did, after an outage say. At most `most_s`, or limit_s if that is more. */
double supervision_limit_s(const struct supervision *supervision, double limit_s, double most_s);

/* Local. Whether a batch job that was requeued `requeues` times since it came to a life has come to none here, either:
 * it would go round for ever. */
bool supervision_goes_round(const struct supervision *supervision, uint64_t requeues, int restarts);

#endif
