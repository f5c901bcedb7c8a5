/* Which steps are not taken: those whose loss or gradient is not finite or far out of line. A pure function of the
 * step's numbers and the history, so that all ranks decide alike. */
#ifndef POLICY_GUARD_H
#define POLICY_GUARD_H

#include "base/error.h"
#include "checkpoint/history.h"
#include "job/job.h"

enum guard_verdict {
    GUARD_TAKE,
    GUARD_SKIP, /* the parameters stay as they are; the step counts all the same */
    GUARD_STOP, /* the job cannot go on like this */
};

/* Local. Judges a step, and brings the history up to date for its verdict. `why` (for SKIP and STOP): what is wrong,
 * and for STOP what may help; its kind is ERROR_STATE.
 *
 * Outlier: loss or gradient norm lies more than skip_step.outlier standard deviations above the mean of the last
 * skip_step.window steps that were taken, once half of them are there. */
enum guard_verdict guard_judge(const struct job *job, struct history *history, uint64_t step, double loss,
                               double gradient_norm, struct error *why);

/* Local. Room for the job's window; of a longer saved one the newest stay. */
void guard_prepare(const struct job *job, struct history *history);

#endif
