/* The second implementation of the owner's update: in double, over whole tensors, from the definitions. */
#ifndef TESTS_TRAIN_UPDATE_REFERENCE_H
#define TESTS_TRAIN_UPDATE_REFERENCE_H

#include "train/update_trial.h"

/* Asserts that tensor s has become in all updates of the trial what it should. arrays: whole ones, [table.count]. */
void update_reference_check(const struct trial *trial, size_t s, const struct tensor *tensor,
                            float *const arrays[ARRAYS]);

#endif
