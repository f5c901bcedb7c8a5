/* A trained model, out of a checkpoint or a weights file, ready to be used. */
#ifndef USE_TRAINED_H
#define USE_TRAINED_H

#include "use/saved_model.h"

#include <limits.h>

struct trained_options {
    const char *const *overrides; /* the user's words for keys of the job [count]; borrowed */
    size_t count;
    bool averaged; /* the averaged weights, of a checkpoint that has them */
};

struct trained {
    char path[PATH_MAX]; /* of the file */
    struct job job;      /* that it is of */
    struct saved_model saved;
    float *params; /* arena of saved.model.table */
    uint64_t step; /* 0: not known */
};

/* Local. Opens what `word` names (checkpoint/locate.h), with the job in it and all weights; the model's passes are of
 * rows up to the job's microbatch, so that what it computes has the bits of a validation. HDF5 must be ready (h5_init).
 * ERROR_USAGE, ERROR_NOT_FOUND, ERROR_CORRUPT, ERROR_VERSION, ERROR_IO. Nothing stays after failure. */
bool trained_open(struct trained *trained, const char *word, const struct trained_options *options,
                  struct error *error) WARN_UNUSED;

/* Local. Accepts a closed one. */
void trained_close(struct trained *trained);

#endif
