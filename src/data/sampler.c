#include "data/sampler.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/rng.h"

uint64_t sampler_taken(const struct sampler *sampler, uint64_t step)
{
    CHECK(step >= sampler->first_step, "steps before the change of the batch are past");
    return sampler->first_sample + (step - sampler->first_step) * sampler->batch;
}

void sampler_change_batch(struct sampler *sampler, uint64_t step, uint64_t batch)
{
    if (batch == sampler->batch)
        return;
    sampler->first_sample = sampler_taken(sampler, step);
    sampler->first_step = step;
    sampler->batch = batch;
}

uint64_t sampler_step_of(const struct sampler *sampler, uint64_t samples)
{
    if (samples <= sampler->first_sample)
        return sampler->first_step;
    uint64_t more = samples - sampler->first_sample;
    return sampler->first_step + more / sampler->batch + (more % sampler->batch > 0);
}

void sampler_row(const struct sampler *sampler, uint64_t position, size_t n, uint64_t *indices)
{
    uint64_t epoch = position / sampler->samples;
    uint64_t place = position % sampler->samples;
    uint64_t seed_key = rng_key(sampler->seed, "order");
    uint64_t key = digest_chain(seed_key, epoch);
    for (size_t i = 0; i < n; i++) {
        if (place == sampler->samples) {
            place = 0;
            key = digest_chain(seed_key, ++epoch);
        }
        indices[i] = rng_permute(key, sampler->samples + sampler->left_out, place++);
    }
}

double sampler_epoch(const struct sampler *sampler, uint64_t step)
{
    return (double)sampler_taken(sampler, step) / (double)sampler->samples;
}
