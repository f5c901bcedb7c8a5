/* What a run has to remember besides the learned arrays and the step, because decisions depend on it: the few numbers
 * that are no function of (job, seed, step). Stored in every checkpoint. */
#ifndef CHECKPOINT_HISTORY_H
#define CHECKPOINT_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_BEST  100 /* validations that count as the best, at most */
#define HISTORY_SPARE 4   /* validations that are remembered behind them */

/* A step that was taken, as the outlier rule sees it. */
struct history_step {
    double loss;
    double gradient_norm;
};

/* A validation that is one of the best. */
struct history_best {
    double value;
    uint64_t step;
};

struct history {
    uint64_t sampler_step;   /* the last step with an earlier train.batch; 0: it never changed */
    uint64_t sampler_sample; /* samples taken up to that step */
    uint64_t updates;        /* steps that have changed the parameters: all but the skipped ones */
    uint64_t skipped_row;    /* steps skipped since the last one that was taken */
    uint64_t validated_step; /* the last one after which a validation was made; 0: none. Beyond it one may be pending */
    uint64_t metric;         /* of `best`: an enum metric_kind */
    uint64_t yardstick;      /* digest of all that makes validations comparable; 0: nothing was validated */
    /* [best_count] the best validations, the best one first. The first `best_most` count; the few behind them were
     * pushed out since the last commit, and move up if those that pushed them out turn out to have no file. Only those
     * that count are stored. */
    struct history_best best[HISTORY_BEST + HISTORY_SPARE];
    size_t best_count;
    size_t best_most;
    double reference;            /* the validation that patience counts from */
    uint64_t stale;              /* validations since then */
    uint64_t plateau_step;       /* of schedule plateau: the validation that it counts from; 0: none */
    double plateau_reference;    /* its value */
    uint64_t plateau_stale;      /* validations since then, or since the rate has fallen */
    uint64_t plateau_falls;      /* how often it has */
    struct history_step *window; /* [window_count] the last steps taken, oldest first */
    size_t window_count;
};

#endif
