/* Coming back: which checkpoint, whether this job may continue it, and its state into memory. */
#ifndef TRAIN_RESUME_H
#define TRAIN_RESUME_H

#include "train/session.h"

/* Collective over world. Sets step, loss, parameters and moments of a session whose buffers exist: from the newest
 * valid checkpoint of its store, or from copies on the nodes if they are newer, or the initial weights of step 0 if
 * there is neither (or what options->branch names). A checkpoint that is corrupt is reported, the next older one is
 * taken, and then the corrupt one is renamed (store_reject); if there are some but none is valid: ERROR_CORRUPT.
 * ERROR_USAGE if the job contradicts the checkpoint, or --fresh meets checkpoints without --overwrite. */
bool resume(struct session *session, struct error *error) WARN_UNUSED;

#endif
