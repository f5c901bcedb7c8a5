/* What the inputs and targets of a session are standardised with (data/standard.h): learned from the training data when
 * a job begins, taken from the checkpoint when it goes on. */
#ifndef TRAIN_STANDARDISE_H
#define TRAIN_STANDARDISE_H

#include "train/session.h"

/* Collective over world, once the job goes on from somewhere, or begins. From here on both datasets are read
 * standardised, as the job wants it, with equal bits on every rank, and for every number of ranks. ERROR_CORRUPT: the
 * checkpoint does not tell with what; errors of reading the data. */
bool standardise_session(struct session *session, struct error *error) WARN_UNUSED;

#endif
