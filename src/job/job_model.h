/* A job's model without a run: for what looks at weights. */
#ifndef JOB_JOB_MODEL_H
#define JOB_JOB_MODEL_H

#include "job/job.h"
#include "nn/model.h"

/* Local. Whether the settings of the data, and this vocabulary (NULL or "": there is none), say all about the samples,
 * as they do for text, and for tokens whose vocabulary is given. */
bool job_model_is_known(const struct job *job, const char *vocabulary);

/* Local. Describes the model (model_describe). If job_model_is_known says no, the training data is opened to see what
 * the samples are. The caller owns
 * *own (memory_free), the vocabulary that was used; NULL: no text. ERROR_USAGE, or errors of the data. */
bool job_model_describe(const struct job *job, const char *vocabulary, struct model *model, char **own,
                        struct error *error) WARN_UNUSED;

#endif
