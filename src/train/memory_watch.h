/* Memory whose bits change by themselves. The updates find it (train/update.h), or the saver (checkpoint/proof.h): then
 * nothing is saved that was made of it, all ranks leave together, and the next start goes on from what was saved
 * before. */
#ifndef TRAIN_MEMORY_WATCH_H
#define TRAIN_MEMORY_WATCH_H

#include "train/session.h"

/* Local. The state is what it is to begin with: all of it is summed. */
void memory_watch_begin(struct session *session);

/* Local, after an update, which has begun with the state of session->step: notes what it has found. */
void memory_watch_note(struct session *session);

/* Local, once a step: MEMORY_IS_WRONG, or nothing. */
unsigned memory_watch_flags(const struct session *session);

/* Collective over world. Whether no rank has found anything: before each save, and when a rank has said that it has.
 * ERROR_MEMORY names the rank, its host, and the tensor. */
bool memory_watch_agree(struct session *session, struct error *error) WARN_UNUSED;

/* Collective over world. The same, once all blocks that have a sum are proven: when numbers are not what they should
 * be, which a flipped bit may be to blame for. */
bool memory_watch_prove(struct session *session, struct error *error) WARN_UNUSED;

/* Local; the same on every rank. The job ends with this error, and no save runs any more. If it is ERROR_MEMORY: adds
 * what stands on the disk, and what to do. */
void memory_watch_explain(const struct session *session, struct error *error);

#endif
