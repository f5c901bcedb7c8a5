/* Files that a user gives instead of a job: what a job file would say about them. */
#ifndef CLI_DATA_GIVEN_H
#define CLI_DATA_GIVEN_H

#include "data/dataset.h"
#include "job/job.h"

/* Local. The format of a file, which the user names, or (`format` NULL) the file tells; one that can be surveyed. NULL
 * with an error: there is none. */
const struct dataset_class *data_given_class(const char *format, const char *path, struct error *error);

/* Local. A job whose data.train has this format and these keys (struct survey), over which `overrides` [count] go, as
 * behind --set; what else a job has to say, it says somehow. */
bool data_given_job(struct job *job, const struct dataset_class *class, const char *keys, const char *const *overrides,
                    size_t count, struct error *error) WARN_UNUSED;

#endif
