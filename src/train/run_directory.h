/* The run directory: its lock, and what a life of the job (from a start of the program to its end) begins in it. */
#ifndef TRAIN_RUN_DIRECTORY_H
#define TRAIN_RUN_DIRECTORY_H

#include "train/session.h"

/* Collective over world. Makes the directory and locks it for this job, and gives the session its store. ERROR_BUSY if
 * another job is at work there. */
bool run_directory_take(struct session *session, struct error *error) WARN_UNUSED;

/* Collective over world; the session has its state. A new segment in the record (what an earlier one left open was
 * interrupted), job.yaml, metrics.jsonl up to the step, history.jsonl, and from that what is known of earlier lives. */
bool run_directory_begin(struct session *session, struct error *error) WARN_UNUSED;

#endif
