/* Optimizers at work on one tensor: settings, gradients, steps in shards, and the comparison with the reference. */
#ifndef TESTS_OPTIM_TRIAL_H
#define TESTS_OPTIM_TRIAL_H

#include "optim/optimizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRIAL_COUNT = 203, TRIAL_STEPS = 20, TRIAL_SPECS = 20 };

/* Every optimizer of the house, with several settings. */
extern const struct optimizer_spec trial_specs[TRIAL_SPECS];

/* A tensor, its gradient, and what the optimizer keeps. */
struct trial {
    float params[TRIAL_COUNT], gradient[TRIAL_COUNT], moment[OPTIMIZER_MOMENTS][TRIAL_COUNT];
};

/* Parameters away from 0, so that relative errors mean something; of both signs. memory_free. */
struct trial *trial_new(void);

/* Another gradient at every step: of one direction and several magnitudes, with noise; every 10th element has none. */
void trial_draw(struct trial *trial, uint64_t step);

/* As a schedule would have it: another rate at every step. No trust: whoever needs one has to ask for it. */
struct optimizer_step trial_step_at(const struct optimizer_spec *spec, uint64_t step, bool decays);

bool trial_is_elementwise(const struct optimizer_spec *spec);

/* Euclidean, by blocks that do not depend on shards. */
double trial_norm(size_t count, const float *x);

/* Calls direction, or update, on elements [first, first + count). Moments that the settings do not name are not given.
 */
void trial_call(const struct optimizer_spec *spec, const struct optimizer_step *step, bool directs, size_t first,
                size_t count, struct trial *trial);

/* One step on a tensor, elements [first, end), in shards of the lengths, again and again: each shard takes its
 * direction; the norms of the whole give the trust ratio; each shard is updated. */
void trial_update_shards(const struct optimizer_spec *spec, const struct optimizer_step *given, size_t first,
                         size_t end, const size_t lengths[4], struct trial *trial);

/* One step on the whole tensor. */
void trial_update(const struct optimizer_spec *spec, const struct optimizer_step *step, struct trial *trial);

/* Asserts that the class follows its reference with all its settings above, with and without decay. */
void trial_check_class(const struct optimizer_class *class);

#endif
