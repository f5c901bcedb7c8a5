/* The keys of a job file (base/option.h): one row each, in sections. Those of data formats, layers, losses, optimizers
 * and schedules stand with these. */
#ifndef JOB_OPTIONS_H
#define JOB_OPTIONS_H

#include "base/option.h"

/* The rows of the whole file; their base is a struct job. */
extern const struct option_row job_options[];

#endif
