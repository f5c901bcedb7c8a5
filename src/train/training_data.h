/* The data of a job, and what this rank has seen of changes in them. */
#ifndef TRAIN_TRAINING_DATA_H
#define TRAIN_TRAINING_DATA_H

#include "data/dataset.h"
#include "data/sampler.h"

/* When the content of a dataset was read again, and how long that took. */
struct data_proof {
    double ended_s, took_s;
};

/* Of data_watch.h. */
struct data_watch {
    unsigned wrong;                             /* DATA_IS_WRONG, VALIDATION_IS_WRONG: what was found stays found */
    unsigned agreed;                            /* that of it which all ranks know of */
    struct error train_error, validation_error; /* of these */
    double looked_s;                            /* when the files were looked at */
    struct data_proof train_proof, validation_proof;
};

struct training_data {
    struct dataset train, validation; /* validation.count 0: there are none */
    struct sampler sampler;
    struct data_watch watch;
};

#endif
