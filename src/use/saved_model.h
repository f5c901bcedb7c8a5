/* The model that a checkpoint or a weights file is of, as the job in it says. */
#ifndef USE_SAVED_MODEL_H
#define USE_SAVED_MODEL_H

#include "data/description.h"
#include "job/job.h"
#include "weights/match.h"

struct saved_model {
    struct model model;
    struct description about; /* of its training data */
    struct match match;       /* of the file with it: all tensors are there */
};

/* Local. `overrides`: the user's words for keys of the job [count]. The data is opened if nothing else tells what the
 * samples are, and then only files that the user has named: the job in a file is whoever's words, and may name any file
 * of this machine. ERROR_USAGE, or errors of the data. The file is borrowed. Nothing stays after failure. */
bool saved_model_open(struct saved_model *opened, const struct weights_file *file, const struct job *job,
                      const char *const *overrides, size_t count, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed one, and an all-zero one. */
void saved_model_close(struct saved_model *opened);

/* Local. All tensors in an arena of the model's table [table.count], gaps zero; owned by the caller (memory_free). NULL
 * after failure. */
float *saved_model_load(const struct saved_model *opened, struct error *error) WARN_UNUSED;

#endif
