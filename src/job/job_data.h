/* The data of a job, opened as it says that they are cut. */
#ifndef JOB_JOB_DATA_H
#define JOB_JOB_DATA_H

#include "job/job.h"

/* What a start has for each of them (data/dataset.h). */
struct job_data_aid {
    struct dataset_aid train, validation;
};

/* Local. Opens what it learns from, and what training is judged by (class NULL: nothing), both in the shape that its
 * model reads (nn/reading.h); they are the caller's to close, `train` last. aid NULL: there is none. Errors name the
 * key. Nothing stays after failure. */
bool job_data_open(const struct job *job, struct dataset *train, struct dataset *validation, struct job_data_aid *aid,
                   struct error *error) WARN_UNUSED;

/* Local. Visits each path that its data.train and data.validation name; a path may be a pattern. */
void job_data_each_path(const struct job *job, void (*visit)(const char *path, void *context), void *context);

/* Local. The validation data alone, for a model of which only this is known of its training data. `source` stays open
 * as long, if the data are a share of it, and is closed last. */
bool job_data_open_validation(const struct job *job, const struct description *train, struct dataset *source,
                              struct dataset *validation, struct error *error) WARN_UNUSED;

#endif
