/* What is decided on at a step boundary: one word, a bit each. What only some rank knows travels with the step's small
 * reduction (parallel/tally.h; between steps world_union), which gives every rank the union of all, so that all act at
 * the same place; what every rank knows by itself is added there. */
#ifndef POLICY_FLAGS_H
#define POLICY_FLAGS_H

enum {
    /* To save and leave. Signals, a bit each: preemption.h. */
    LEAVE_SIGTERM = 1 << 0,
    LEAVE_SIGUSR1 = 1 << 1,
    LEAVE_SIGUSR2 = 1 << 2,
    LEAVE_SIGINT = 1 << 3,
    LEAVE_SIGHUP = 1 << 4,
    LEAVE_SIGXCPU = 1 << 5,
    LEAVE_SIGPWR = 1 << 6,
    LEAVE_PAUSE = 1 << 7,    /* --stop-after: pause.h */
    LEAVE_DEADLINE = 1 << 8, /* the end that others have set: deadline.h */
    LEAVE_MOVED = 1 << 9,    /* the run directory was moved: run_directory.h */

    /* Reasons to save and go on (cadence.h), which only some rank knows, */
    SAVE_SIGNAL = 1 << 10, /* SIGALRM; mpirun passes it to its ranks */
    SAVE_FILE = 1 << 11,   /* RUN/save */
    SAVE_MINUTES = 1 << 12,
    SAVE_AUTO = 1 << 13,
    /* and those that every rank knows. */
    SAVE_EVERY = 1 << 14,
    SAVE_AT = 1 << 15,
    SAVE_VALIDATION = 1 << 16,
    SAVE_BEST = 1 << 17,
    SAVE_RETRY = 1 << 18,
    SAVE_KEEP = 1 << 19, /* checkpoint.keep_every */
    /* Kinds of saves that need no reason (skipped.h). */
    SAVE_END = 1 << 20,    /* the last step, or early stopping */
    SAVE_COPIES = 1 << 21, /* on the nodes */

    /* What a rank has to tell. */
    END_IS_ANNOUNCED = 1 << 22,    /* rank 0 knows when the end comes that SIGUSR1 announces: deadline.h */
    DATA_IS_WRONG = 1 << 23,       /* the training data are not what they were: data_watch.h */
    VALIDATION_IS_WRONG = 1 << 24, /* the same of the validation data */
    SAVER_IS_BUSY = 1 << 25,       /* this rank still works on a save: save.h */
    SAVER_IS_LATE = 1 << 26,       /* this rank has given it up, because another one was late */
    HOLD_IS_DUE = 1 << 27,         /* it is time to try a last save again: hold.h */
    HOLD_IS_OVER = 1 << 28,        /* for the last time */
    /* For evaluator.h alone; it passes the others on. */
    EVALUATOR_IS_FULL = 1 << 29, /* a round was not short for this rank */
    EVALUATOR_IS_SLOW = 1 << 30, /* it was long */

    LEAVE_SIGNALS = (1 << 7) - 1,
    LEAVE_ALL = (1 << 10) - 1,
    SAVE_ALL = (1 << 22) - (1 << 10),
};

/* A rank has to tell, too: memory is not what was written there (memory_watch.h). The last bit, which no enum may name.
 */
#define MEMORY_IS_WRONG (1u << 31)

#endif
