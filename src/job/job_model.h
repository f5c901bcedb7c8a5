/* A job's model without a run: for what looks at weights. */
#ifndef JOB_JOB_MODEL_H
#define JOB_JOB_MODEL_H

#include "job/job.h"
#include "nn/model.h"

/* What a file of weights tells of the data. NULL or "": nothing. */
struct job_model_data {
    const char *vocabulary;
    const char *description; /* JSON */
};

/* Local. Whether that, or the settings of the data, say all about the samples, as they do for text, and for tokens
 * whose vocabulary is given. */
bool job_model_is_known(const struct job *job, struct job_model_data known);

/* Local. Describes the model (model_describe), and *about the training data (description_release). If
 * job_model_is_known says no, that is opened to see what the samples are. ERROR_USAGE, ERROR_CORRUPT, or errors of the
 * data. Nothing stays after failure. */
bool job_model_describe(const struct job *job, struct job_model_data known, struct model *model,
                        struct description *about, struct error *error) WARN_UNUSED;

#endif
