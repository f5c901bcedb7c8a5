/* `class_weights: balanced`: how often each class comes in the training data, counted when a job begins, taken from the
 * checkpoint when it goes on. */
#ifndef TRAIN_CLASS_WEIGHTS_H
#define TRAIN_CLASS_WEIGHTS_H

#include "train/session.h"

/* Collective over world, once the job goes on from somewhere, or begins. From here on a term of a class that n of all N
 * labels are of counts N / (K n) in training, K being the classes that come at all, if the job wants that: so that a
 * term counts 1 on the average. The same on every rank. ERROR_CORRUPT: the checkpoint does not tell the counts; errors
 * of reading the data. */
bool class_weights_session(struct session *session, struct error *error) WARN_UNUSED;

#endif
