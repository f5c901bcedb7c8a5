/* The data of a job, and what this rank has seen of changes in them. */
#ifndef TRAIN_TRAINING_DATA_H
#define TRAIN_TRAINING_DATA_H

#include "data/augment.h"
#include "data/dataset.h"
#include "data/prefetch.h"
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
    struct augmenter augmenter; /* of the training samples */
    struct prefetch *ahead;     /* the next leaf of training samples */
    bool has_failed;            /* the read of a leaf that was taken */
    double waited_s;            /* for leaves that were taken */
    struct data_watch watch;
};

/* Local. Where leaf number `leaf` of `rows` samples is, of the batch that begins at this place in the row of all
 * samples (sampler_taken). */
struct leaf_place training_data_place(const struct training_data *data, uint64_t position, size_t leaf, size_t rows);

/* Local, watched. Brings a leaf, which prefetch_take describes. Behind it nobody else uses these datasets before
 * training_data_rest. */
void training_data_take(struct training_data *data, const struct leaf_place *place, const struct leaf_place *next,
                        struct leaf *leaf);

/* Local, watched. Nothing is read ahead until the next leaf is taken. */
void training_data_rest(struct training_data *data);

#endif
