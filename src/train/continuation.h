/* Whether a job may go on from a state that was saved, in a file or in copies on the nodes, and what it takes over. */
#ifndef TRAIN_CONTINUATION_H
#define TRAIN_CONTINUATION_H

#include "checkpoint/reader.h"
#include "train/session.h"

/* Local. Whether this job may go on from the state with this record, which `name` is to tell people, and then from
 * where in the data. Permitted changes are appended to `changes`, what they mean to `remark`. reader: of the views of
 * the tensors; NULL: there are none. */
bool continuation_check(struct session *session, const char *name, const struct record *record,
                        const struct reader *reader, struct text *changes, struct text *remark,
                        struct error *error) WARN_UNUSED;

/* Local. Logs what has changed, and takes over what the session has to know of the past; the record is emptied. */
void continuation_take(struct session *session, struct record *record, const struct text *changes,
                       const struct text *remark);

#endif
