/* Data that change under a job. Samples are read when they are needed, from files that others can write to: a rank that
 * meets a sample that cannot be, or sees that a file was changed, goes on to the next numbers that all ranks share, and
 * says so there; then all leave together, and nothing is saved that may have been trained on other data than the job
 * began with. */
#ifndef TRAIN_DATA_WATCH_H
#define TRAIN_DATA_WATCH_H

#include "train/session.h"

/* A bit among the flags of a step (preemption.h): this rank's data are not what they were. */
#define DATA_IS_WRONG (1u << 29)

/* Local, once a step, after it has read its samples. Looks at the files about once a second. */
unsigned data_watch_flags(struct session *session);

/* Collective over world. Whether the data are on all ranks what they were: before each save, and when a rank has said
 * that they are not. The error names file, what is wrong, and what to do. */
bool data_watch_agree(struct session *session, struct error *error) WARN_UNUSED;

#endif
