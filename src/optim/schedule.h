/* Learning-rate schedules: the factor of the peak rate at a step. */
#ifndef OPTIM_SCHEDULE_H
#define OPTIM_SCHEDULE_H

#include <stdint.h>

enum schedule_kind {
    SCHEDULE_NONE = 0,
    SCHEDULE_CONSTANT,
    SCHEDULE_COSINE,
};

/* What a job file says. */
struct schedule_spec {
    enum schedule_kind kind;
    uint64_t warmup; /* steps: the rate rises linearly to its peak, which step `warmup` has */
    double floor;    /* cosine: factor at the last step, in [0, 1] */
};

/* Local. The factor for `step` (1 <= step <= steps), in [0, 1]. Cosine: from 1 at `warmup` down to `floor` at `steps`
 * (I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, equation 5, one cycle). */
double schedule_factor(const struct schedule_spec *spec, uint64_t step, uint64_t steps);

#endif
