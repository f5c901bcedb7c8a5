/* What a whole job takes, by what its parts were measured to take. */
#ifndef TRAIN_FORECAST_H
#define TRAIN_FORECAST_H

#include "job/job.h"

#include <stdint.h>

struct forecast_parts {
    uint64_t steps;          /* of the whole job */
    double epoch_steps;      /* of an epoch */
    bool validates;          /* there are validation data */
    double start_s;          /* up to the first step */
    double step_s;           /* of each */
    double validation_s;     /* of each */
    double stall_s, write_s; /* of each save: what training waits for it; until it is written */
    double period_s;         /* between two saves of checkpoint.every: auto; 0: not in force */
    uint64_t checkpoint_bytes;
};

struct forecast {
    uint64_t validations, saves; /* saves of a new best model do not count: nobody knows them */
    double epoch_s;              /* with its validations and saves */
    double whole_s;
    uint64_t stays; /* checkpoints that are there at most, and ... */
    double bytes;   /* ... what they need on the disk, with one that is being written */
};

/* Local. Pure. */
struct forecast forecast_make(const struct job *job, const struct forecast_parts *parts);

#endif
