/* Saving at a step boundary. */
#ifndef TRAIN_SAVE_H
#define TRAIN_SAVE_H

#include "train/session.h"

/* Collective over world; why must be equal on every rank: "running" for a save on the way, or the reason of the end.
 * Commits a checkpoint of the session's step, and writes the metrics' `checkpoint` event. On failure the same error on
 * every rank, a `checkpoint_failed` event, and a time for the next attempt in session->retry_step. */
bool save(struct session *session, const char *why, struct error *error) WARN_UNUSED;

#endif
