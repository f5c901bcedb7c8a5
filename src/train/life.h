/* What a life of the job, from a start of the program to its end, begins in the run directory. */
#ifndef TRAIN_LIFE_H
#define TRAIN_LIFE_H

#include "train/session.h"

/* Collective over world; the session has its state. A new segment in the record (what an earlier one left open was
 * interrupted), job.yaml, metrics.jsonl up to the step, history.jsonl, and from that what is known of earlier lives. */
bool life_begin(struct session *session, struct error *error) WARN_UNUSED;

#endif
