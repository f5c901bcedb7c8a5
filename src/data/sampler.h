/* Which sample goes where: a pure function of (seed, samples, batch, step, position), so that the order needs no
 * memory, no state in a checkpoint, and is the same for every number of ranks.
 *
 * Think of one endless row of samples: epoch 0's permutation, then epoch 1's, and so on. Step s (from 1) takes
 * `batch` of them, beginning at (s - 1) * batch. So every sample comes exactly once an epoch also when the batch
 * does not divide the number of samples; such a step spans two epochs. */
#ifndef DATA_SAMPLER_H
#define DATA_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

struct sampler {
    uint64_t seed;
    uint64_t samples; /* in an epoch: 1 to 2^62 */
    uint64_t batch;   /* samples of a step */
};

/* Local. The dataset indices of positions [first, first + n) of the global batch of `step` (>= 1);
 * step * batch < 2^64. */
void sampler_indices(const struct sampler *sampler, uint64_t step, size_t first, size_t n, uint64_t *indices);

/* Local. How many epochs have passed when `step` steps are done, with its fraction. */
double sampler_epoch(const struct sampler *sampler, uint64_t step);

#endif
