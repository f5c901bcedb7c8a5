#include "base/rng.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Random123 1.14 (D. E. Shaw Research), kat_vectors, "philox4x32 10": words 0 and 1 of its counter are our counter,
 * words 2 and 3 our lane, low word first; its two key words are our key, low word first. */
static void words_are_those_of_the_published_generator(void)
{
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t *c = cases[i].counter, *k = cases[i].key;
        uint32_t words[4];
        rng_words((uint64_t)k[1] << 32 | k[0], (uint64_t)c[1] << 32 | c[0], (uint64_t)c[3] << 32 | c[2], words);
        CU_ASSERT_EQUAL(memcmp(words, cases[i].words, sizeof words), 0);
    }
}

/* A job that is resumed by a newer program must meet the same sample order and the same dropout masks. */
static void numbers_never_change(void)
{
    static const uint64_t order[] = {2550, 657, 4653, 2975, 3296, 248, 5909, 5897};
    static const uint64_t small_order[] = {30, 10, 70, 68, 82, 40, 22, 78};
    static const uint32_t uniform[] = {12063530, 4933804, 16095426, 12735860, 3847597, 6739615, 2216251, 670634};
    CU_ASSERT_EQUAL(rng_key(1, "order"), 0x3f411f6cac48b5b4u);
    for (uint64_t i = 0; i < sizeof order / sizeof *order; i++)
        CU_ASSERT_EQUAL(rng_permute(rng_key(1, "order"), 9000, i), order[i]);
    for (uint64_t i = 0; i < sizeof small_order / sizeof *small_order; i++)
        CU_ASSERT_EQUAL(rng_permute(rng_key(1, "order"), 100, i), small_order[i]);
    for (uint64_t i = 0; i < sizeof uniform / sizeof *uniform; i++)
        CU_ASSERT_EQUAL(rng_uniform(rng_key(1, "weights"), i), (float)uniform[i] * 0x1p-24f);
}

static void keys_differ_by_seed_and_by_purpose(void)
{
    CU_ASSERT_EQUAL(rng_key(1, "weights"), rng_key(1, "weights"));
    CU_ASSERT_NOT_EQUAL(rng_key(1, "weights"), rng_key(2, "weights"));
    CU_ASSERT_NOT_EQUAL(rng_key(1, "weights"), rng_key(1, "order"));
    CU_ASSERT_NOT_EQUAL(rng_key(0, "weights"), rng_key((uint64_t)1 << 32, "weights"));
}

static void uniform_numbers_have_the_right_moments(void)
{
    enum { N = 1 << 20, BINS = 64 };
    uint64_t key = rng_key(3, "test");
    double sum = 0, squares = 0, neighbours = 0, before = 0.5, chi2 = 0;
    int bins[BINS] = {0}, outside = 0;
    for (uint64_t i = 0; i < N; i++) {
        double x = (double)rng_uniform(key, i);
        outside += !(x >= 0 && x < 1);
        bins[(int)(x * BINS) % BINS]++;
        sum += x;
        squares += (x - 0.5) * (x - 0.5);
        neighbours += (x - 0.5) * (before - 0.5);
        before = x;
    }
    for (int i = 0; i < BINS; i++)
        chi2 += (bins[i] - (double)N / BINS) * (bins[i] - (double)N / BINS) / ((double)N / BINS);
    CU_ASSERT_EQUAL(outside, 0);
    /* Five standard deviations each: 0.2887, 0.0745 and 1/12 over sqrt(N) = 1024; chi2 has 63 +- 11.2. */
    CU_ASSERT_DOUBLE_EQUAL(sum / N, 0.5, 5 * 0.2887 / 1024);
    CU_ASSERT_DOUBLE_EQUAL(squares / N, 1.0 / 12, 5 * 0.0745 / 1024);
    CU_ASSERT_DOUBLE_EQUAL(neighbours / N, 0, 5.0 / 12 / 1024);
    CU_ASSERT_DOUBLE_EQUAL(chi2, 63, 5 * 11.2);
}

/* Whether each of [0, count) is met exactly once; `seen` has room for count. */
static bool is_bijection(uint64_t key, uint64_t count, unsigned char *seen)
{
    memset(seen, 0, (size_t)count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t place = rng_permute(key, count, i);
        if (place >= count || seen[place]++)
            return false;
    }
    return true;
}

static void permutations_are_bijections(void)
{
    static const uint64_t large[] = {1023, 1024, 1025, 4095, 4096, 4097, 9000, 60000};
    static unsigned char seen[60000];
    int failed = 0;
    for (uint64_t count = 1; count <= 300; count++)
        for (uint64_t seed = 0; seed < 5; seed++)
            failed += !is_bijection(rng_key(seed, "order"), count, seen);
    CU_ASSERT_EQUAL(failed, 0);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        CU_ASSERT_TRUE(is_bijection(rng_key(i, "order"), large[i], seen));
}

static void permutations_of_huge_domains_stay_inside(void)
{
    static const uint64_t counts[] = {(uint64_t)1 << 32, ((uint64_t)1 << 32) + 1, ((uint64_t)1 << 60) + 1,
                                      (uint64_t)1 << 62};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double sum = 0;
        for (uint64_t j = 0; j < 10000; j++) {
            uint64_t place = rng_permute(j, counts[i], counts[i] - 1 - j);
            if (place >= counts[i])
                CU_FAIL("outside of the domain");
            sum += (double)place / (double)counts[i];
        }
        CU_ASSERT_DOUBLE_EQUAL(sum / 10000, 0.5, 5 * 0.2887 / 100);
    }
}

/* Of a random permutation of n: the mean distance from i to its place, and from a place to the next one's, is n/3; the
 * number of fixed points, and of agreements with another permutation, is Poisson with mean 1 (20 or more: 1e-19). */
static void permutations_look_random(void)
{
    static const uint64_t counts[] = {9000, 60000};
    for (size_t c = 0; c < 2; c++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            uint64_t count = counts[c], key = rng_key(seed, "order"), other = rng_key(seed + 1, "order");
            double distance = 0, stride = 0;
            int fixed = 0, agreed = 0, followed = 0;
            uint64_t before = rng_permute(key, count, count - 1);
            for (uint64_t i = 0; i < count; i++) {
                uint64_t place = rng_permute(key, count, i);
                distance += fabs((double)place - (double)i);
                stride += fabs((double)place - (double)before);
                fixed += place == i;
                followed += place == before + 1;
                agreed += place == rng_permute(other, count, i);
                before = place;
            }
            CU_ASSERT_DOUBLE_EQUAL(distance / (double)count / (double)count, 1.0 / 3, 0.015);
            CU_ASSERT_DOUBLE_EQUAL(stride / (double)count / (double)count, 1.0 / 3, 0.015);
            CU_ASSERT_TRUE(fixed < 20 && agreed < 20 && followed < 20);
        }
}

static void every_small_permutation_comes_equally_often(void)
{
    /* 24 permutations of 4 things, 24,000 keys: 1,000 each with a standard deviation of 31. */
    int times[256] = {0}, different = 0;
    for (uint64_t seed = 0; seed < 24000; seed++) {
        unsigned which = 0;
        for (uint64_t i = 0; i < 4; i++)
            which = which << 2 | (unsigned)rng_permute(rng_key(seed, "order"), 4, i);
        times[which]++;
    }
    for (int i = 0; i < 256; i++)
        if (times[i]) {
            different++;
            CU_ASSERT_DOUBLE_EQUAL(times[i], 1000, 200);
        }
    CU_ASSERT_EQUAL(different, 24);
}

static void normal_numbers_are_normal(void)
{
    enum { N = 200000 };
    double sum = 0, square = 0, fourth = 0, neighbours = 0, last = 0;
    size_t beyond = 0;
    for (uint64_t i = 0; i < N; i++) {
        double z = rng_normal(99, i);
        sum += z;
        square += z * z;
        fourth += z * z * z * z;
        beyond += z > 1.959964;
        neighbours += z * last;
        last = z;
    }
    /* Each to five standard deviations of its estimate. */
    CU_ASSERT_DOUBLE_EQUAL(sum / N, 0, 5 / sqrt(N));
    CU_ASSERT_DOUBLE_EQUAL(square / N, 1, 5 * sqrt(2.0 / N));
    CU_ASSERT_DOUBLE_EQUAL(fourth / N, 3, 5 * sqrt(96.0 / N));
    CU_ASSERT_DOUBLE_EQUAL((double)beyond / N, 0.025, 5 * sqrt(0.025 / N));
    CU_ASSERT_DOUBLE_EQUAL(neighbours / N, 0, 5 / sqrt(N));
}

/* Against the C library: the logarithm and the circle inside are accurate to double's last places. */
/* Two words of a call make a point, and so do the other two; blocks of calls, of which all that is first comes first.
 */
static void many_normal_numbers_are_box_and_mullers(void)
{
    enum { CALLS = RNG_NORMALS / 4, N = 3 * RNG_NORMALS };
    float numbers[N], part[RNG_NORMALS];
    rng_normals(5, 7, N, numbers);
    for (uint64_t i = 0; i < N; i++) {
        uint32_t words[4];
        uint64_t block = i / RNG_NORMALS, which = i % RNG_NORMALS / CALLS;
        rng_words(5, (7 + block) * CALLS + i % CALLS, 2, words);
        const uint32_t *two = words + which / 2 * 2;
        double radius = sqrt(-2 * log(((two[0] >> 9) + 0.5) * 0x1p-23)), angle = 2 * M_PI * two[1] * 0x1p-32;
        CU_ASSERT_DOUBLE_EQUAL((double)numbers[i], radius * (which % 2 ? sin(angle) : cos(angle)), 2e-6);
    }
    for (size_t n = 0; n < RNG_NORMALS; n++) {
        rng_normals(5, 8, n, part);
        CU_ASSERT_EQUAL(memcmp(part, numbers + RNG_NORMALS, n * sizeof *part), 0);
    }
}

/* Their moments, from many keys. */
static void many_normal_numbers_are_normal(void)
{
    enum { KEYS = 2000, N = 150 };
    double moments[5] = {0}, count = KEYS * N;
    float numbers[N];
    for (uint64_t key = 0; key < KEYS; key++) {
        rng_normals(rng_key(key, "test"), key, N, numbers);
        for (size_t i = 0; i < N; i++)
            for (int k = 1; k < 5; k++)
                moments[k] += pow((double)numbers[i], k) / count;
    }
    CU_ASSERT(fabs(moments[1]) < 4 / sqrt(count));
    CU_ASSERT(fabs(moments[2] - 1) < 4 * sqrt(2 / count));
    CU_ASSERT(fabs(moments[3]) < 4 * sqrt(15 / count));
    CU_ASSERT(fabs(moments[4] - 3) < 4 * sqrt(96 / count));
}

static void normal_numbers_are_box_and_mullers(void)
{
    for (uint64_t i = 0; i < 2000; i++) {
        uint32_t words[4];
        rng_words(5, i / 2, 1, words);
        double radius = sqrt(-2 * log((words[0] + 0.5) * 0x1p-32)), angle = 2 * M_PI * (words[1] * 0x1p-32);
        CU_ASSERT_DOUBLE_EQUAL(rng_normal(5, i), radius * (i % 2 ? sin(angle) : cos(angle)), 4e-15);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the words are those of the published generator", words_are_those_of_the_published_generator},
        {"numbers never change from one version to the next", numbers_never_change},
        {"keys differ by seed and by purpose", keys_differ_by_seed_and_by_purpose},
        {"uniform numbers lie in [0, 1) with the right moments", uniform_numbers_have_the_right_moments},
        {"permutations are bijections", permutations_are_bijections},
        {"permutations of huge domains stay inside", permutations_of_huge_domains_stay_inside},
        {"permutations look random", permutations_look_random},
        {"every permutation of a few things comes equally often", every_small_permutation_comes_equally_often},
        {"normal numbers are normal", normal_numbers_are_normal},
        {"normal numbers are Box's and Muller's", normal_numbers_are_box_and_mullers},
        {"many normal numbers are Box's and Muller's, too", many_normal_numbers_are_box_and_mullers},
        {"many normal numbers are normal", many_normal_numbers_are_normal},
        {NULL, NULL},
    };
    return test_run("base/rng", cases);
}
