/* What no row of the table of options can say, because it is about two keys at once. */
#ifndef JOB_JOB_CHECK_H
#define JOB_JOB_CHECK_H

#include "job/job.h"
#include "job/job_yaml.h"

/* Local. The job was read from this tree, and each key alone is right. ERROR_USAGE with the place of the key. */
bool job_check(const struct job *job, struct job_yaml *yaml, struct error *error) WARN_UNUSED;

#endif
