/* A job's model without a run: for what looks at weights. */
#ifndef JOB_JOB_MODEL_H
#define JOB_JOB_MODEL_H

#include "job/job.h"
#include "nn/model.h"

/* Local. Describes the model (model_describe). Of text data context and vocabulary say all about the samples; if
 * `vocabulary` is NULL or "", and for other data, the training data is opened to see what they are. The caller owns
 * *own (memory_free), the vocabulary that was used; NULL: no text. ERROR_USAGE, or errors of the data. */
bool job_model_describe(const struct job *job, const char *vocabulary, struct model *model, char **own,
                        struct error *error) WARN_UNUSED;

#endif
