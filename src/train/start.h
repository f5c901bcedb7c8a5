/* A start: all that has to be there before the first step. */
#ifndef TRAIN_START_H
#define TRAIN_START_H

#include "train/session.h"

/* Collective over world. Locks and makes the run directory, opens data, builds the model, allocates, and puts the state
 * to the newest valid checkpoint, or a newer set of copies on the nodes, or to step 0. After failure everything is
 * closed; but not after ERROR_LATE: then a rank is missing, and the process can only be left. */
bool start_session(struct session *session, const struct world *world, const struct job *job,
                   const struct session_options *options, struct error *error) WARN_UNUSED;

#endif
