/* One step: leaves forward and backward, their gradients reduced, judged, and the owner's update. */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "train/progress.h"

/* Collective over world. The session's next step; *flags becomes what any rank was asked from outside (policy/flags.h).
 * A step that the guard does not let pass leaves the state as the step before had it. False if it ends the job: the
 * guard stops it (ERROR_STATE), the data are not what they were, or memory is not (ERROR_MEMORY). */
bool step_make(struct session *session, struct step_numbers *numbers, unsigned *flags, struct error *error) WARN_UNUSED;

#endif
