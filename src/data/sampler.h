/* Which sample goes where: a pure function of (seed, samples, batch, step, position), so that the order needs no
 * memory, no state in a checkpoint (but for two numbers if the batch has ever changed), and is the same for every
 * number of ranks.
 *
 * Think of one endless row of samples: epoch 0's permutation, then epoch 1's, and so on. Step s (from 1) takes
 * `batch` of them, beginning at (s - 1) * batch. So every sample comes exactly once an epoch also when the batch
 * does not divide the number of samples; such a step spans two epochs.
 *
 * With `left_out` an epoch ends before its permutation does, so that a step need not span two: as many samples as the
 * batch does not divide, others in each epoch.
 *
 * Such a permutation reads a chunk of a file for nearly each of its samples. Where order keeps to chunks, an epoch is
 * a permutation of the chunks, and `window` of them that follow each other in it are mixed: the permutation of an epoch
 * is that of the samples of its first window, then of its second... So a chunk is read in one piece of the epoch that
 * is no longer than a window.
 *
 * A batch that changes after step f goes on in the row where the steps before have ended: step s takes its samples from
 * first_sample + (s - 1 - f) * batch on. */
#ifndef DATA_SAMPLER_H
#define DATA_SAMPLER_H

#include "data/chunks.h"

#include <stddef.h>
#include <stdint.h>

struct sampler {
    uint64_t seed;
    uint64_t samples;      /* in an epoch: 1 to 2^62, with those that are left out */
    uint64_t left_out;     /* of all samples, in each epoch: the last ones of its permutation */
    uint64_t batch;        /* samples of a step, from step first_step + 1 on */
    uint64_t first_step;   /* the last step that had another batch; 0: there was none */
    uint64_t first_sample; /* the place in the row where it ended */

    const struct chunks *chunks; /* that order keeps to; NULL: to none. Borrowed */
    uint64_t window;             /* of so many of them, above 0 */
    struct sampler_epoch *epoch; /* private: the chunks in the order of the epoch that was asked for last; owned */
};

/* Local. From here on its order keeps to these chunks, of which it is samples + left_out samples: release it. */
void sampler_keep_chunks(struct sampler *sampler, const struct chunks *chunks, uint64_t window);

/* Local. Accepts one that keeps to no chunks, and a released one. */
void sampler_release(struct sampler *sampler);

/* Local. The dataset indices of n places in the row, from this one on: those of a step begin at
 * sampler_taken(step - 1). The row up to their end is shorter than 2^64. With chunks by one thread at a time. */
void sampler_row(const struct sampler *sampler, uint64_t position, size_t n, uint64_t *indices);

/* Local. Which epoch this place in the row belongs to, from 0. */
uint64_t sampler_epoch_of(const struct sampler *sampler, uint64_t position);

/* Local. How many samples have been taken when `step` steps (>= first_step) are done. */
uint64_t sampler_taken(const struct sampler *sampler, uint64_t step);

/* Local. From the step after `step` (>= first_step) on every step takes `batch` samples. */
void sampler_change_batch(struct sampler *sampler, uint64_t step, uint64_t batch);

/* Local. The first step that at least `samples` samples have been taken with, counted over the job's whole life; not
 * before first_step. */
uint64_t sampler_step_of(const struct sampler *sampler, uint64_t samples);

/* Local. How many epochs have passed when `step` steps (>= first_step) are done, with its fraction. */
double sampler_epoch(const struct sampler *sampler, uint64_t step);

#endif
