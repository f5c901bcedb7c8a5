/* What the tests of the owner's update have to do with: tensors, optimizers, and the numbers that go in.
 *
 * The shards of 2, 3 and 4 ranks cut "1.dense.weight" in different places, and the frozen tensor and a statistic too.
 * It is as if a run had been resumed: the moments are old ones, and the first update is not number 1. */
#ifndef TESTS_TRAIN_UPDATE_TRIAL_H
#define TESTS_TRAIN_UPDATE_TRIAL_H

#include "nn/tensor.h"
#include "optim/optimizer.h"
#include "parallel/exchange.h"

#include <stddef.h>
#include <stdint.h>

#define FIRST 11 /* number of the first update */
#define STEPS 5

/* A tensor, and what the groups below and its role make of the settings. */
struct subject {
    struct tensor tensor;
    double rate_factor;  /* 0: frozen; of a statistic nothing else matters */
    double weight_decay; /* < 0: the optimizer's */
    float initial;       /* parameters are of this size */
};

#define SUBJECTS 9
extern const struct subject subjects[SUBJECTS];

#define GROUPS 4
extern struct optimizer_group groups[GROUPS];

struct trial {
    const char *name;
    struct optimizer_spec spec; /* without groups: those above are every trial's */
    float clip;                 /* gradient_scale of every other step */
    double average;             /* decay of the EMA; 0: there is none */
};

#define TRIALS 8
extern const struct trial trials[TRIALS];

/* With the groups. */
struct optimizer_spec trial_spec(const struct trial *trial);

size_t trial_moments(const struct trial *trial);

/* Of update `number`. */
double trial_rate(const struct trial *trial, uint64_t number);
float trial_scale(const struct trial *trial, uint64_t number);

/* A table of the subjects' tensors. */
void subject_table(struct tensor_table *table);

/* What moves. */
enum array { PARAMS, MOMENT_0, MOMENT_1, AVERAGE, ARRAYS };
extern const char *const array_names[ARRAYS];

/* Element e of tensor s: before the first step, and of the gradient of update `number`. Pure functions. */
float subject_initial(size_t s, enum array array, size_t e);
float subject_gradient(size_t s, uint64_t number, size_t e);

/* What the shard has of an array before the first step, or of the gradient of update `number` (array == ARRAYS). */
void subject_fill(const struct tensor_table *table, struct shard shard, enum array array, uint64_t number,
                  float *values);

#endif
