/* The schedule plateau: when the learning rate falls. What validations have found is no function of the step, so that
 * it stands in the history, which every checkpoint has; the rate then is one of the history. */
#ifndef POLICY_PLATEAU_H
#define POLICY_PLATEAU_H

#include "checkpoint/history.h"
#include "job/job.h"
#include "policy/evaluation.h"

/* Local. Takes the validation of this step into the history; nothing with another schedule, or if it is not regular
 * (best.h). After more than `patience` of them that were not better, by `threshold` of its size, than the one that is
 * counted from, the rate falls, and counting begins anew; as PyTorch's ReduceLROnPlateau with threshold_mode=rel. */
void plateau_consider(const struct job *job, struct history *history, const struct evaluation *evaluation,
                      uint64_t step);

/* Local. What the validations so far have left of the rate, in [0, 1]; 1 with another schedule. */
double plateau_factor(const struct job *job, const struct history *history);

#endif
