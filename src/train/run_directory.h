/* The run directory: its lock, and what becomes of it while the job runs. */
#ifndef TRAIN_RUN_DIRECTORY_H
#define TRAIN_RUN_DIRECTORY_H

#include "train/session.h"

/* Collective over world. Makes the directory and locks it for this job, holds it on each rank, gives the session its
 * store, and proves by a trial write that all ranks can save there. ERROR_BUSY if another job is at work there. */
bool run_directory_take(struct session *session, struct error *error) WARN_UNUSED;

/* Local, rank 0's work, now and then: LEAVE_MOVED if the run directory is not any more where it was. What is saved
 * goes to where it is now; but a start would not find it there, so the job has to leave. What somebody has deleted of
 * the files by which others know the run (its lock, its history, job.yaml) is made again; if another job has taken the
 * lock meanwhile, this one is lost (session_options.lost). */
unsigned run_directory_flags(struct session *session, double now_s);

/* Local, rank 0's work, before a save. The same; a run directory that was deleted under the job is made again, with a
 * warning, and locked again, and its metrics begin anew. */
void run_directory_keep(struct session *session);

/* Local, rank 0's work. RUN/job.yaml, as the record has the job. */
bool run_directory_write_job(const struct session *session, struct error *error) WARN_UNUSED;

#endif
