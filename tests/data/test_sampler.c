#include "data/sampler.h"

#include "base/memory.h"
#include "base/rng.h"
#include "support/test.h"

#include <string.h>

/* The first `count` samples of the endless row, step by step. */
/* Positions [first, first + n) of the batch of a step. */
static void step_indices(const struct sampler *sampler, uint64_t step, size_t first, size_t n, uint64_t *indices)
{
    sampler_row(sampler, sampler_taken(sampler, step - 1) + first, n, indices);
}

static uint64_t *row(const struct sampler *sampler, size_t count)
{
    size_t batch = (size_t)sampler->batch;
    size_t steps = (count + batch - 1) / batch;
    uint64_t *indices = memory_need(steps * batch, sizeof *indices);
    for (size_t s = 0; s < steps; s++)
        step_indices(sampler, s + 1, 0, batch, indices + s * batch);
    return indices;
}

/* How many of [0, samples) do not come exactly once among these `samples` indices. */
static size_t strangers(const uint64_t *indices, size_t samples)
{
    uint8_t *seen = memory_need(samples, 1);
    size_t wrong = 0;
    for (size_t i = 0; i < samples; i++)
        if (indices[i] >= samples || seen[indices[i]]++)
            wrong++;
    memory_free(seen);
    return wrong;
}

static void each_sample_once_an_epoch(void)
{
    static const size_t samples[] = {1, 2, 3, 10, 9000};
    static const size_t batches[] = {1, 7, 64};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        for (size_t j = 0; j < sizeof batches / sizeof *batches; j++) {
            struct sampler sampler = {.seed = 1, .samples = samples[i], .batch = batches[j]};
            uint64_t *indices = row(&sampler, 4 * samples[i]);
            for (size_t epoch = 0; epoch < 4; epoch++)
                CU_ASSERT_EQUAL(strangers(indices + epoch * samples[i], samples[i]), 0);
            memory_free(indices);
        }
    }
}

static void the_batch_only_cuts_the_row(void)
{
    struct sampler small = {.seed = 5, .samples = 10, .batch = 3};
    struct sampler large = {.seed = 5, .samples = 10, .batch = 25};
    uint64_t *one = row(&small, 200), *other = row(&large, 200);
    CU_ASSERT_EQUAL(memcmp(one, other, 200 * sizeof *one), 0);
    memory_free(one);
    memory_free(other);
}

static void leaves_tile_the_batch(void)
{
    enum { BATCH = 24 };
    static const size_t leaves[] = {1, 2, 3, 8, 12};
    struct sampler sampler = {.seed = 9, .samples = 10, .batch = BATCH};
    for (uint64_t step = 1; step <= 6; step++) {
        uint64_t whole[BATCH], parts[BATCH];
        step_indices(&sampler, step, 0, BATCH, whole);
        for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
            memset(parts, 0xff, sizeof parts);
            for (size_t first = 0; first < BATCH; first += leaves[i])
                step_indices(&sampler, step, first, leaves[i], parts + first);
            CU_ASSERT_EQUAL(memcmp(whole, parts, sizeof whole), 0);
        }
    }
}

/* At how many of 1000 positions two orders agree; about one for independent ones. */
static size_t agreements(const uint64_t *a, const uint64_t *b)
{
    size_t equal = 0;
    for (size_t i = 0; i < 1000; i++)
        equal += a[i] == b[i];
    return equal;
}

static void epochs_and_seeds_have_their_own_order(void)
{
    struct sampler sampler = {.seed = 1, .samples = 1000, .batch = 100};
    struct sampler reseeded = {.seed = 2, .samples = 1000, .batch = 100};
    uint64_t *indices = row(&sampler, 3000), *others = row(&reseeded, 3000);
    CU_ASSERT(agreements(indices, indices + 1000) < 10);
    CU_ASSERT(agreements(indices + 1000, indices + 2000) < 10);
    CU_ASSERT(agreements(indices, others) < 10);
    CU_ASSERT(agreements(indices, others + 1000) < 10);
    memory_free(indices);
    memory_free(others);
}

/* A resumed job must meet the order that it left, whatever the version of the program: these numbers never change. */
static void the_order_is_golden(void)
{
    static const uint64_t golden[16] = {9, 1, 3, 5, 6, 8, 0, 2, 4, 7, 4, 5, 3, 8, 9, 0};
    struct sampler sampler = {.seed = 42, .samples = 10, .batch = 8};
    uint64_t *indices = row(&sampler, 16);
    for (size_t i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(indices[i], golden[i]);
    memory_free(indices);
}

static void epochs_are_counted_with_their_fraction(void)
{
    struct sampler sampler = {.seed = 1, .samples = 10, .batch = 4};
    CU_ASSERT_EQUAL(sampler_epoch(&sampler, 0), 0.0);
    CU_ASSERT_EQUAL(sampler_epoch(&sampler, 1), 0.4);
    CU_ASSERT_EQUAL(sampler_epoch(&sampler, 5), 2.0);
    sampler.samples = 60000;
    sampler.batch = 96;
    CU_ASSERT_EQUAL(sampler_epoch(&sampler, 625), 1.0);
    CU_ASSERT_EQUAL(sampler_epoch(&sampler, 6250000), 10000.0);
}

/* Steps 1 to 3 take 3 samples each, step 4 and later 5: together they tile the row. */
static void a_changed_batch_goes_on_in_the_row(void)
{
    struct sampler before = {.seed = 5, .samples = 10, .batch = 3};
    struct sampler after = before;
    sampler_change_batch(&after, 2, 3); /* is no change */
    CU_ASSERT_EQUAL(after.first_step, 0);
    sampler_change_batch(&after, 3, 5);
    CU_ASSERT(after.batch == 5 && after.first_step == 3 && after.first_sample == 9);
    uint64_t *expected = row(&before, 29), found[29];
    for (uint64_t step = 1; step <= 3; step++)
        step_indices(&before, step, 0, 3, found + 3 * (step - 1));
    for (uint64_t step = 4; step <= 7; step++) {
        step_indices(&after, step, 0, 2, found + 9 + 5 * (step - 4));
        step_indices(&after, step, 2, 3, found + 11 + 5 * (step - 4));
    }
    CU_ASSERT_EQUAL(memcmp(found, expected, sizeof found), 0);
    CU_ASSERT_EQUAL(sampler_taken(&after, 3), 9);
    CU_ASSERT_EQUAL(sampler_taken(&after, 5), 19);
    CU_ASSERT_EQUAL(sampler_epoch(&after, 5), 1.9);
    uint64_t places[5];
    sampler_row(&after, 9, 5, places); /* where the change was */
    step_indices(&after, 4, 0, 5, found);
    CU_ASSERT_EQUAL(memcmp(places, found, sizeof places), 0);
    sampler_row(&after, 3, 3, places); /* a step before it */
    step_indices(&before, 2, 0, 3, found);
    CU_ASSERT_EQUAL(memcmp(places, found, 3 * sizeof *places), 0);
    sampler_change_batch(&after, 5, 1); /* and again */
    CU_ASSERT(after.batch == 1 && after.first_step == 5 && after.first_sample == 19);
    memory_free(expected);
}

static void a_number_of_samples_has_its_step(void)
{
    struct sampler sampler = {.seed = 5, .samples = 10, .batch = 4};
    static const uint64_t steps[] = {0, 1, 1, 1, 1, 2, 2, 2, 2, 3};
    for (uint64_t samples = 0; samples < sizeof steps / sizeof *steps; samples++)
        CU_ASSERT_EQUAL(sampler_step_of(&sampler, samples), steps[samples]);
    struct sampler changed = {.seed = 5, .samples = 10, .batch = 5, .first_step = 3, .first_sample = 9};
    CU_ASSERT_EQUAL(sampler_step_of(&changed, 1), 3);
    CU_ASSERT_EQUAL(sampler_step_of(&changed, 9), 3);
    CU_ASSERT_EQUAL(sampler_step_of(&changed, 10), 4);
    CU_ASSERT_EQUAL(sampler_step_of(&changed, 14), 4);
    CU_ASSERT_EQUAL(sampler_step_of(&changed, 15), 5);
    CU_ASSERT_EQUAL(sampler_step_of(&changed, UINT64_MAX), 3 + (UINT64_MAX - 9) / 5 + 1);
}

static void an_epoch_ends_with_a_batch_if_the_rest_is_left_out(void)
{
    const struct sampler sampler = {.seed = 3, .samples = 9, .left_out = 2, .batch = 3};
    unsigned left_out[11] = {0};
    for (uint64_t epoch = 0; epoch < 50; epoch++) {
        uint64_t indices[9];
        unsigned seen[11] = {0};
        sampler_row(&sampler, 9 * epoch, 9, indices);
        for (size_t i = 0; i < 9; i++)
            seen[indices[i]]++;
        for (size_t i = 0; i < 11; i++) {
            CU_ASSERT(seen[i] <= 1);
            left_out[i] += seen[i] == 0;
        }
    }
    for (size_t i = 0; i < 11; i++)
        CU_ASSERT(left_out[i] > 0 && left_out[i] < 25); /* others in each epoch */
    CU_ASSERT_EQUAL(sampler_epoch(&sampler, 6), 2);
}

/* ---- order by chunks ---- */

/* Chunks of 1 to `most` samples, some `samples` together; the lengths come from `seed`. */
static struct chunks make_chunks(uint64_t seed, size_t samples, size_t most)
{
    struct chunks chunks = {0};
    for (uint64_t at = 0, i = 0; at < samples; i++) {
        uint64_t length = 1 + rng_permute(seed + i, most, 0), left = samples - at;
        length = most == 1 || length < left ? length : left;
        chunks_add(&chunks, at, length);
        at += length;
    }
    return chunks;
}

/* The chunks of one window come together: in the n samples from here on none comes again once another window has begun
 * behind its own. Returns how many chunks are in more than one window of the epoch, and windows in too many chunks. */
static size_t torn_chunks(const struct chunks *chunks, uint64_t window, const uint64_t *indices, size_t n)
{
    size_t *of = memory_need(chunks->count, sizeof *of), torn = 0, number = 1; /* 1 + the window of each chunk */
    size_t in_window = 0, at = 0;
    while (at < n) {
        uint64_t left = 0; /* samples of the chunks of this window that have not come yet */
        in_window = 0;
        do {
            size_t chunk = chunks_find(chunks, indices[at++]);
            if (of[chunk] == 0) {
                of[chunk] = number;
                in_window++;
                left += chunks->place[chunk + 1] - chunks->place[chunk];
            }
            torn += of[chunk] != number;
            left--;
        } while (at < n && (left > 0 || in_window < window));
        torn += in_window > window; /* it begins another one before it ends */
        number++;
    }
    memory_free(of);
    return torn;
}

static void chunks_come_once_an_epoch(void)
{
    static const size_t sizes[] = {1, 2, 3, 7, 24, 100}, most[] = {1, 2, 5, 24, 200};
    static const uint64_t windows[] = {1, 2, 3, 8, 1000};
    for (size_t i = 0; i < 6 * 5 * 5; i++) {
        size_t samples = sizes[i % 6];
        uint64_t window = windows[i / 6 % 5];
        struct chunks chunks = make_chunks(i, samples, most[i / 30]);
        struct sampler sampler = {.seed = i, .samples = samples, .batch = 7};
        sampler_keep_chunks(&sampler, &chunks, window);
        uint64_t *indices = row(&sampler, 4 * samples);
        for (size_t epoch = 0; epoch < 4; epoch++) {
            CU_ASSERT_EQUAL(strangers(indices + epoch * samples, samples), 0);
            CU_ASSERT_EQUAL(torn_chunks(&chunks, window, indices + epoch * samples, samples), 0);
        }
        for (size_t k = 0; k < 4 * samples; k++) { /* from anywhere, in any order */
            size_t at = 4 * samples - 1 - k;
            uint64_t index;
            sampler_row(&sampler, at, 1, &index);
            CU_ASSERT_EQUAL(index, indices[at]);
        }
        memory_free(indices);
        sampler_release(&sampler);
        chunks_release(&chunks);
    }
}

static void chunks_and_their_samples_are_mixed(void)
{
    enum { SAMPLES = 1000, CHUNK = 10, WINDOW = 5, OF_WINDOW = CHUNK * WINDOW };
    struct chunks chunks = {0};
    for (uint64_t at = 0; at < SAMPLES; at += CHUNK)
        chunks_add(&chunks, at, CHUNK);
    struct sampler sampler = {.seed = 1, .samples = SAMPLES, .batch = 100};
    struct sampler reseeded = {.seed = 2, .samples = SAMPLES, .batch = 100};
    sampler_keep_chunks(&sampler, &chunks, WINDOW);
    sampler_keep_chunks(&reseeded, &chunks, WINDOW);
    uint64_t *indices = row(&sampler, 2 * SAMPLES), *others = row(&reseeded, SAMPLES);
    CU_ASSERT(agreements(indices, indices + SAMPLES) < 10);
    CU_ASSERT(agreements(indices, others) < 10);
    size_t follow = 0, together = 0;
    for (size_t i = 0; i + 1 < SAMPLES; i++) {
        follow += indices[i + 1] == indices[i] + 1;
        together += indices[i + 1] / CHUNK == indices[i] / CHUNK;
    }
    CU_ASSERT(follow < 60 && together < 260); /* of 1000: 18 and 180 where all orders are equally likely */
    for (size_t w = 0; w + OF_WINDOW <= SAMPLES; w += OF_WINDOW) {
        uint64_t least = SAMPLES, most = 0;
        for (size_t i = w; i < w + OF_WINDOW; i++) {
            least = indices[i] < least ? indices[i] : least;
            most = indices[i] > most ? indices[i] : most;
        }
        CU_ASSERT(most - least > SAMPLES / 4); /* its chunks lie apart */
    }
    memory_free(indices);
    memory_free(others);
    sampler_release(&sampler);
    sampler_release(&reseeded);
    chunks_release(&chunks);
}

/* As the_order_is_golden. */
static void the_order_by_chunks_is_golden(void)
{
    static const uint64_t golden[20] = {8, 7, 6, 9, 4, 1, 3, 0, 5, 2, 7, 4, 8, 3, 6, 5, 2, 1, 0, 9};
    struct chunks chunks = {0};
    chunks_add(&chunks, 0, 2);
    chunks_add(&chunks, 2, 4);
    chunks_add(&chunks, 6, 3);
    chunks_add(&chunks, 9, 1);
    struct sampler sampler = {.seed = 42, .samples = 10, .batch = 8};
    sampler_keep_chunks(&sampler, &chunks, 2);
    uint64_t *indices = row(&sampler, 20);
    for (size_t i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(indices[i], golden[i]);
    memory_free(indices);
    sampler_release(&sampler);
    chunks_release(&chunks);
}

static void chunks_go_with_a_rest_that_is_left_out_and_with_other_batches(void)
{
    struct chunks chunks = make_chunks(3, 23, 6);
    struct sampler sampler = {.seed = 3, .samples = 20, .left_out = 3, .batch = 5};
    sampler_keep_chunks(&sampler, &chunks, 2);
    unsigned left_out[23] = {0};
    for (uint64_t epoch = 0; epoch < 50; epoch++) {
        uint64_t indices[20], again[20];
        unsigned seen[23] = {0};
        sampler_row(&sampler, 20 * epoch, 20, indices);
        for (size_t i = 0; i < 20; i++)
            CU_ASSERT_EQUAL(seen[indices[i]]++, 0);
        for (size_t i = 0; i < 23; i++)
            left_out[i] += seen[i] == 0;
        struct sampler changed = sampler;
        sampler_change_batch(&changed, 4 * epoch, 20);
        step_indices(&changed, 4 * epoch + 1, 0, 20, again);
        CU_ASSERT_EQUAL(memcmp(indices, again, sizeof indices), 0);
    }
    for (size_t i = 0; i < 23; i++)
        CU_ASSERT(left_out[i] < 25); /* others in each epoch */
    sampler_release(&sampler);
    chunks_release(&chunks);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"each sample comes exactly once an epoch, for any size and batch", each_sample_once_an_epoch},
        {"steps of any batch tile one and the same row without gap or overlap", the_batch_only_cuts_the_row},
        {"reading leaf by leaf gives the same samples as reading the batch", leaves_tile_the_batch},
        {"each epoch and each seed has an order of its own", epochs_and_seeds_have_their_own_order},
        {"the order of a seed is the golden one", the_order_is_golden},
        {"a batch that changes goes on in the row where the steps before have ended",
         a_changed_batch_goes_on_in_the_row},
        {"a number of samples has its step, the first that reaches it", a_number_of_samples_has_its_step},
        {"an epoch ends with a batch if the rest is left out", an_epoch_ends_with_a_batch_if_the_rest_is_left_out},
        {"with chunks each sample comes once an epoch, and each chunk in one window", chunks_come_once_an_epoch},
        {"chunks, and samples of a window, are mixed", chunks_and_their_samples_are_mixed},
        {"the order by chunks is the golden one", the_order_by_chunks_is_golden},
        {"with chunks a rest may be left out, and the batch may change",
         chunks_go_with_a_rest_that_is_left_out_and_with_other_batches},
        {"epochs are counted with their fraction", epochs_are_counted_with_their_fraction},
        {NULL, NULL},
    };
    return test_run("data/sampler", cases);
}
