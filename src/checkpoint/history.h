/* What a run has to remember besides the learned arrays and the step, because decisions depend on it: the few numbers
 * that are no function of (job, seed, step). Stored in every checkpoint. */
#ifndef CHECKPOINT_HISTORY_H
#define CHECKPOINT_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/* A step that was taken, as the outlier rule sees it. */
struct history_step {
    double loss;
    double gradient_norm;
};

struct history {
    uint64_t sampler_step;       /* the last step with an earlier train.batch; 0: it never changed */
    uint64_t sampler_sample;     /* samples taken up to that step */
    uint64_t updates;            /* steps that have changed the parameters: all but the skipped ones */
    uint64_t skipped_row;        /* steps skipped since the last one that was taken */
    uint64_t metric;             /* of `best`: an enum metric_kind */
    uint64_t yardstick;          /* digest of all that makes validations comparable; 0: nothing was validated */
    double best;                 /* the best validation so far */
    uint64_t best_step;          /* 0: none */
    double reference;            /* the validation that patience counts from */
    uint64_t stale;              /* validations since then */
    struct history_step *window; /* [window_count] the last steps taken, oldest first */
    size_t window_count;
};

#endif
