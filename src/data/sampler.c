#include "data/sampler.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
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

/* ---- order by chunks ---- */

struct sampler_epoch {
    uint64_t number; /* of the epoch; valid once is_made */
    bool is_made;
    uint64_t key;
    size_t *chunk;   /* [count] in their order */
    uint64_t *place; /* [count + 1] in the epoch, where each begins */
};

void sampler_keep_chunks(struct sampler *sampler, const struct chunks *chunks, uint64_t window)
{
    CHECK(chunks->count > 0 && chunks->place[chunks->count] == sampler->samples + sampler->left_out && window > 0,
          "the chunks are those of the samples");
    sampler->chunks = chunks;
    sampler->window = window;
    sampler->epoch = memory_need(1, sizeof *sampler->epoch);
    sampler->epoch->chunk = memory_need(chunks->count, sizeof *sampler->epoch->chunk);
    sampler->epoch->place = memory_need(chunks->count + 1, sizeof *sampler->epoch->place);
}

void sampler_release(struct sampler *sampler)
{
    if (sampler->epoch) {
        memory_free(sampler->epoch->chunk);
        memory_free(sampler->epoch->place);
    }
    memory_free(sampler->epoch);
    *sampler = (struct sampler){0};
}

/* Costs as much as there are chunks; once an epoch, for who goes through the row. */
static void make_epoch(const struct sampler *sampler, uint64_t number)
{
    const struct chunks *chunks = sampler->chunks;
    struct sampler_epoch *epoch = sampler->epoch;
    if (epoch->is_made && epoch->number == number)
        return;
    epoch->key = digest_chain(rng_key(sampler->seed, "chunks"), number);
    for (size_t k = 0; k < chunks->count; k++) {
        size_t chunk = (size_t)rng_permute(epoch->key, chunks->count, k);
        epoch->chunk[k] = chunk;
        epoch->place[k + 1] = epoch->place[k] + (chunks->place[chunk + 1] - chunks->place[chunk]);
    }
    epoch->number = number;
    epoch->is_made = true;
}

static uint64_t sample_in_chunks(const struct sampler *sampler, uint64_t number, uint64_t place)
{
    const struct chunks *chunks = sampler->chunks;
    const struct sampler_epoch *epoch = sampler->epoch;
    make_epoch(sampler, number);
    uint64_t window = chunks_last(epoch->place, 0, chunks->count, place) / sampler->window;
    size_t first = (size_t)(window * sampler->window), left = chunks->count - first;
    size_t behind = first + (sampler->window < left ? (size_t)sampler->window : left);
    uint64_t begin = epoch->place[first], length = epoch->place[behind] - begin;
    uint64_t mixed = begin + rng_permute(digest_chain(epoch->key, window), length, place - begin);
    size_t k = chunks_last(epoch->place, first, behind, mixed);
    return chunks->place[epoch->chunk[k]] + mixed - epoch->place[k];
}

/* ---- the row ---- */

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
        if (sampler->chunks)
            indices[i] = sample_in_chunks(sampler, epoch, place++);
        else
            indices[i] = rng_permute(key, sampler->samples + sampler->left_out, place++);
    }
}

uint64_t sampler_epoch_of(const struct sampler *sampler, uint64_t position)
{
    return position / sampler->samples;
}

double sampler_epoch(const struct sampler *sampler, uint64_t step)
{
    return (double)sampler_taken(sampler, step) / (double)sampler->samples;
}
