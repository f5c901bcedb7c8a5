/* checkpoint.keep_every: checkpoints that stay for ever. Pruning knows them by their steps; others that are to stay for
 * the same reason are pinned (checkpoint/pin.h). */
#ifndef TRAIN_KEEP_EVERY_H
#define TRAIN_KEEP_EVERY_H

#include "train/session.h"

/* Local, rank 0's work. The checkpoint of this step stands in the place of one that checkpoint.keep_every wanted at a
 * step at which nothing could be saved: pins it. */
bool keep_every_pin(const struct session *session, uint64_t step, struct error *error) WARN_UNUSED;

/* Collective over world, at a start. What an earlier checkpoint.keep_every wanted to stay stays. */
bool keep_every_begin(struct session *session, struct error *error) WARN_UNUSED;

#endif
