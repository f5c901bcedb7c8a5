/* Coming back: which checkpoint, whether this job may continue it, and its state into memory. */
#ifndef TRAIN_RESUME_H
#define TRAIN_RESUME_H

#include "train/session.h"

/* Collective over world. Sets step, loss, parameters and moments of a session whose buffers exist: from the newest
 * valid checkpoint of its store, or from copies on the nodes if they are newer, or the initial weights of step 0 if
 * there is neither. A checkpoint that is corrupt is reported, the next older one is taken, and then the corrupt one is
 * renamed (store_reject); if there are some but none is valid: ERROR_CORRUPT. ERROR_USAGE if the job contradicts the
 * checkpoint, or --fresh meets checkpoints without --overwrite. */
bool resume(struct session *session, struct error *error) WARN_UNUSED;

/* Local, rank 0's work. Writes the lineage of this start into the run directory, where it tells which copies on the
 * nodes the next one may go on from: not those of a start before one that went back behind them. */
bool resume_write_lineage(const struct session *session, struct error *error) WARN_UNUSED;

/* For resume_copies.c, which does the same with copies on the nodes. */
struct reader;

/* Local. Whether this job may go on from the state with this record, which `name` is to tell people, and then from
 * where in the data. Permitted changes are appended to `changes`, what they mean to `remark`. reader: of the views of
 * the tensors; NULL: there are none. */
bool resume_may_continue(struct session *session, const char *name, const struct record *record,
                         const struct reader *reader, struct text *changes, struct text *remark,
                         struct error *error) WARN_UNUSED;

/* Local. Logs what has changed, and takes over what the session has to know of the past; the record is emptied. */
void resume_take_over(struct session *session, struct record *record, const struct text *changes,
                      const struct text *remark);

#endif
