#include "base/checksum.h"
#include "base/rng.h"
#include "support/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 4096, BITS = 32 * COUNT, ROW_BITS = 8 * 64, GROUP_BITS = 8 * ROW_BITS };

static float values[COUNT];

static void fill(void)
{
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (float)rng_normal(rng_key(7, "checksum"), i);
}

static bool is_set(size_t bit)
{
    return ((const unsigned char *)values)[bit / 8] >> bit % 8 & 1;
}

static void flip(size_t bit)
{
    ((unsigned char *)values)[bit / 8] ^= (unsigned char)(1 << bit % 8);
}

static void each_flipped_bit_is_seen(void)
{
    static const size_t counts[] = {COUNT, COUNT - 1, 1000, 129, 128, 127, 17, 1};
    fill();
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        uint64_t sum = checksum_floats(values, counts[c]);
        size_t unseen = 0;
        for (size_t bit = 0; bit < 32 * counts[c]; bit++) {
            flip(bit);
            unseen += checksum_floats(values, counts[c]) == sum;
            flip(bit);
        }
        CU_ASSERT_EQUAL(unseen, 0);
        CU_ASSERT_EQUAL(checksum_floats(values, counts[c]), sum);
    }
}

/* Also where the turned sums cannot tell one from the other: they have the two at the same place. */
static void two_bits_of_different_groups_are_seen(void)
{
    size_t unseen = 0, tried = 0;
    fill();
    uint64_t sum = checksum_floats(values, COUNT);
    for (size_t first = 5; first < BITS - GROUP_BITS; first += 577)
        for (size_t group = first / GROUP_BITS + 1; group < BITS / GROUP_BITS; group++)
            for (size_t row = 0; row < 8; row++) {
                size_t bit = first % 64, turned = (bit + 64 * 32 - 7 * (first / GROUP_BITS) + 7 * group) % 64;
                size_t lane = first % ROW_BITS / 64, place = group * GROUP_BITS + row * ROW_BITS + 64 * lane;
                for (size_t other = 0; other < 2; other++) {
                    size_t second = place + (other ? turned : bit);
                    flip(first);
                    flip(second);
                    unseen += checksum_floats(values, COUNT) == sum;
                    tried++;
                    flip(first);
                    flip(second);
                }
            }
    CU_ASSERT(tried > 20000);
    CU_ASSERT_EQUAL(unseen, 0);
}

static void of_two_bits_at_random_hardly_a_pair_is_lost(void)
{
    const uint64_t key = rng_key(3, "pairs");
    size_t unseen = 0, tried = 200000;
    fill();
    uint64_t sum = checksum_floats(values, COUNT);
    for (size_t i = 0; i < tried; i++) {
        size_t first = (size_t)((double)rng_uniform(key, 2 * i) * BITS);
        size_t second = (size_t)((double)rng_uniform(key, 2 * i + 1) * BITS);
        if (first == second)
            continue;
        flip(first);
        flip(second);
        bool is_same = checksum_floats(values, COUNT) == sum;
        flip(first);
        flip(second);
        unseen += is_same;
        if (is_same) { /* as the contract says which */
            bool is_topmost = first % 64 == 63;
            CU_ASSERT_EQUAL(first / GROUP_BITS, second / GROUP_BITS);
            CU_ASSERT_EQUAL(first % ROW_BITS, second % ROW_BITS);
            CU_ASSERT(is_topmost || is_set(first) != is_set(second));
        }
    }
    CU_ASSERT(unseen <= tried / 10000);
}

static void what_changes_places_or_is_missing_is_seen(void)
{
    fill();
    uint64_t sum = checksum_floats(values, COUNT);
    float kept[128];
    for (size_t group = 1; group < COUNT / 128; group++) {
        memcpy(kept, values, sizeof kept);
        memcpy(values, values + 128 * group, sizeof kept);
        memcpy(values + 128 * group, kept, sizeof kept);
        CU_ASSERT_NOT_EQUAL(checksum_floats(values, COUNT), sum);
        memcpy(kept, values, sizeof kept);
        memcpy(values, values + 128 * group, sizeof kept);
        memcpy(values + 128 * group, kept, sizeof kept);
    }
    memset(values, 0, sizeof values);
    for (size_t count = 0; count < COUNT; count++) {
        CU_ASSERT_NOT_EQUAL(checksum_floats(values, count), checksum_floats(values, count + 1));
        CU_ASSERT_NOT_EQUAL(checksum_floats(values, count), 0);
    }
}

int main(void)
{
    const struct test_case cases[] = {
        {"each flipped bit is seen", each_flipped_bit_is_seen},
        {"two flipped bits of different groups are seen", two_bits_of_different_groups_are_seen},
        {"of two flipped bits at random hardly a pair is lost", of_two_bits_at_random_hardly_a_pair_is_lost},
        {"what changes places or is missing is seen; no sum is 0", what_changes_places_or_is_missing_is_seen},
        {0},
    };
    return test_run("base/checksum", cases);
}
