/* What no row of the table of options can say, because it is about two keys at once. */
#ifndef TRAIN_JOB_CHECK_H
#define TRAIN_JOB_CHECK_H

#include "train/job.h"
#include "train/job_yaml.h"

/* Local. The job was read from this tree, and each key alone is right. ERROR_USAGE with the place of the key. */
bool job_check(const struct job *job, struct job_yaml *yaml, struct error *error) WARN_UNUSED;

#endif
