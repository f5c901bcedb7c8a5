/* Data that change under a job. Samples are read when they are needed, from files that others can write to: a rank that
 * meets a sample that cannot be, or sees that a file was changed, goes on to the next numbers that all ranks share, and
 * says so there; then all leave together, and nothing is saved that may have been trained on other data than the job
 * began with. Validation data have never touched what is learned: if only they are wrong, a validation that was made
 * with them does not count, all that was trained is saved, and then all leave. */
#ifndef TRAIN_DATA_WATCH_H
#define TRAIN_DATA_WATCH_H

#include "train/session.h"

/* Local, once a step, after it has read its samples. Looks at the files about once a second. */
unsigned data_watch_flags(struct session *session);

/* Collective over world. Whether the training data are on all ranks what they were: before each save, and when a rank
 * has said that they are not. The error names the file and what is wrong. */
bool data_watch_agree(struct session *session, struct error *error) WARN_UNUSED;

/* Collective over world. All samples of a validation have been read: DATA_IS_WRONG and VALIDATION_IS_WRONG, of all
 * ranks together. */
unsigned data_watch_validated(struct session *session);

/* Collective over world; some rank has said that the validation data are wrong, and the state is saved. The error, as
 * above. Returns false, unless no rank knows of any. */
bool data_watch_refuse_validation(struct session *session, struct error *error) WARN_UNUSED;

/* Local; the same on every rank. The job ends with this error, and no save runs any more. If the ranks have agreed that
 * data are wrong, that is why: adds what stands on the disk, and what to do. */
void data_watch_explain(const struct session *session, struct error *error);

#endif
