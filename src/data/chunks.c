#include "data/chunks.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Makes room for one more, and for the end behind it. */
static void grow(struct chunks *chunks)
{
    size_t places = chunks->room > 0 ? chunks->room + 1 : 0, samples = chunks->room;
    if (chunks->place && chunks->count < chunks->room)
        return;
    chunks->room = chunks->room > 0 ? 2 * chunks->room : 64;
    uint64_t *place = memory_need(chunks->room + 1, sizeof *place);
    uint64_t *sample = memory_need(chunks->room, sizeof *sample);
    if (chunks->place) {
        memcpy(place, chunks->place, places * sizeof *place);
        memcpy(sample, chunks->sample, samples * sizeof *sample);
    }
    memory_free(chunks->place);
    memory_free(chunks->sample);
    chunks->place = place;
    chunks->sample = sample;
}

void chunks_add(struct chunks *chunks, uint64_t sample, uint64_t length)
{
    CHECK(length > 0, "a chunk holds something");
    grow(chunks);
    chunks->sample[chunks->count] = sample;
    chunks->place[chunks->count + 1] = chunks->place[chunks->count] + length;
    chunks->count++;
}

void chunks_release(struct chunks *chunks)
{
    memory_free(chunks->place);
    memory_free(chunks->sample);
    *chunks = (struct chunks){0};
}

size_t chunks_last(const uint64_t *begins, size_t low, size_t high, uint64_t place)
{
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (begins[middle] <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

size_t chunks_find(const struct chunks *chunks, uint64_t place)
{
    CHECK(place < chunks->place[chunks->count], "a place lies in a chunk");
    return chunks_last(chunks->place, 0, chunks->count, place);
}

uint64_t chunks_sample(const struct chunks *chunks, uint64_t place)
{
    size_t chunk = chunks_find(chunks, place);
    return chunks->sample[chunk] + place - chunks->place[chunk];
}

static uint64_t length_of(const struct chunks *chunks, size_t chunk)
{
    return chunks->place[chunk + 1] - chunks->place[chunk];
}

uint64_t chunks_digest(const struct chunks *chunks)
{
    uint64_t digest = digest_chain(0, chunks->count);
    for (size_t i = 0; i < chunks->count; i++)
        digest = digest_chain(digest_chain(digest, chunks->sample[i]), length_of(chunks, i));
    return digest ? digest : 1;
}

uint64_t chunks_even(const struct chunks *chunks)
{
    uint64_t length = chunks->count > 0 ? length_of(chunks, 0) : 0;
    for (size_t i = 1; i < chunks->count; i++)
        if (length_of(chunks, i) > length || (length_of(chunks, i) < length && i + 1 < chunks->count))
            return 0;
    return length;
}

/* Marks those that are taken: as many as bring the samples nearest to `wanted`, neither none nor all. */
static void choose(const struct chunks *all, uint64_t key, uint64_t wanted, bool *is_taken)
{
    uint64_t sum = 0;
    for (size_t k = 0; k + 1 < all->count; k++) {
        size_t chunk = (size_t)rng_permute(key, all->count, k);
        uint64_t with = sum + length_of(all, chunk);
        if (k > 0 && with > wanted && (sum >= wanted || with - wanted > wanted - sum))
            return;
        is_taken[chunk] = true;
        sum = with;
    }
}

bool chunks_share(const struct chunks *all, uint64_t key, double part, struct chunks *taken, struct chunks *rest,
                  struct error *error)
{
    *taken = *rest = (struct chunks){0};
    if (all->count < 2)
        return error_set(error, ERROR_USAGE,
                         "all %" PRIu64 " samples lie in one chunk, and shuffle: chunks shares out whole ones: "
                         "data.shuffle_chunk makes smaller ones",
                         all->count > 0 ? all->place[1] : 0);
    bool *is_taken = memory_need(all->count, sizeof *is_taken);
    choose(all, key, (uint64_t)llround((double)all->place[all->count] * part), is_taken);
    for (size_t i = 0; i < all->count; i++)
        chunks_add(is_taken[i] ? taken : rest, all->sample[i], length_of(all, i));
    memory_free(is_taken);
    return true;
}
