/* Coming back from one checkpoint file. */
#ifndef TRAIN_RESUME_FILE_H
#define TRAIN_RESUME_FILE_H

#include "train/session.h"

/* Collective over world; path must be equal on every rank. Sets step, loss, record, parameters and moments of a session
 * whose buffers exist. ERROR_CORRUPT: it is not valid, and the buffers hold nothing yet; ERROR_USAGE: the job
 * contradicts it (continuation.h); ERROR_BUSY: another program is writing it. */
bool resume_file(struct session *session, const char *path, struct error *error) WARN_UNUSED;

#endif
