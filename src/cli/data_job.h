/* A job file that could be written for a dataset. */
#ifndef CLI_DATA_JOB_H
#define CLI_DATA_JOB_H

#include "data/sample_facts.h"

/* Local. Appends lines of YAML, which make a whole job: the data, a tenth of it for validation, a small model, and the
 * loss and the metric that fit. keys: as those of a survey. */
void data_job_write(const struct dataset *dataset, const struct sample_facts *facts, const char *keys,
                    struct text *yaml);

#endif
