#include "base/rng.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/real.h"
#include "base/target.h"

#include <math.h>
#include <string.h>

uint64_t rng_key(uint64_t seed, const char *purpose)
{
    return digest_chain(seed, digest_bytes(purpose, strlen(purpose)));
}

static inline uint32_t multiply(uint32_t a, uint32_t b, uint32_t *high)
{
    uint64_t product = (uint64_t)a * b;
    *high = (uint32_t)(product >> 32);
    return (uint32_t)product;
}

void rng_words(uint64_t key, uint64_t counter, uint64_t lane, uint32_t words[4])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)lane, c3 = (uint32_t)(lane >> 32);
    for (int round = 0; round < 10; round++) {
        uint32_t high0, high1;
        uint32_t low0 = multiply(0xD2511F53u, c0, &high0);
        uint32_t low1 = multiply(0xCD9E8D57u, c2, &high1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

float rng_uniform(uint64_t key, uint64_t counter)
{
    /* Four neighbours share one call's words, so that a tensor costs a quarter of a call an element when inlined. */
    uint32_t words[4];
    rng_words(key, counter / 4, 0, words);
    return (float)(words[counter % 4] >> 8) * 0x1p-24f;
}

double rng_normal(uint64_t key, uint64_t counter)
{
    /* Neighbours are the two coordinates of one point; in the lane 1, away from the uniform numbers. */
    uint32_t words[4];
    double c, s;
    rng_words(key, counter / 2, 1, words);
    double radius = sqrt(-2 * real_log((words[0] + 0.5) * 0x1p-32));
    real_circle(words[1] * 0x1p-32, &c, &s);
    return radius * (counter % 2 ? s : c);
}

/* ---- many normal numbers, in single precision ---- */

#define CALLS (RNG_NORMALS / 4)

/* log u, 2^-24 <= u < 1, as real_log has it. */
static inline float small_logarithm(float u)
{
    int32_t bits, mantissa;
    float m;
    memcpy(&bits, &u, sizeof bits);
    int32_t exponent = (bits - 0x3F3504F3) >> 23; /* the mantissa is in [sqrt(1/2), sqrt 2) */
    mantissa = bits - exponent * (1 << 23);
    memcpy(&m, &mantissa, sizeof m);
    float s = (m - 1) / (m + 1), square = s * s;
    float series = 1 + square * (1.0f / 3 + square * (0.2f + square * (1.0f / 7 + square * (1.0f / 9))));
    return (float)exponent * (float)M_LN2 + 2 * s * series;
}

/* A point from two words: both coordinates. */
static inline void normal_point(uint32_t far, uint32_t around, float *x, float *y)
{
    float radius = sqrtf(-2 * small_logarithm(((float)(int32_t)(far >> 9) + 0.5f) * 0x1p-23f));
    uint32_t quarter = (around + 0x20000000u) >> 30;
    float angle = (float)(int32_t)(around - (quarter << 30)) * (float)(M_PI_2 * 0x1p-30), square = angle * angle;
    float even = 1 + square * (-0.5f + square * (1.0f / 24 + square * (-1.0f / 720 + square * (1.0f / 40320))));
    float odd = angle * (1 + square * (-1.0f / 6 + square * (1.0f / 120 + square * (-1.0f / 5040))));
    float c = quarter & 1 ? odd : even, s = quarter & 1 ? even : odd;
    *x = radius * ((quarter + 1) & 2 ? -c : c);
    *y = radius * (quarter & 2 ? -s : s);
}

/* In the lane 2. Loops of single steps, for vectors. */
TARGET_CLONES static void normal_block(uint64_t key, uint64_t block, float normals[RNG_NORMALS])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32), words[4][CALLS];
    for (uint32_t i = 0; i < CALLS; i++) {
        uint64_t counter = block * CALLS + i;
        words[0][i] = (uint32_t)counter;
        words[1][i] = (uint32_t)(counter >> 32);
        words[2][i] = 2;
        words[3][i] = 0;
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        for (int i = 0; i < CALLS; i++) {
            uint64_t product0 = (uint64_t)0xD2511F53u * words[0][i], product1 = (uint64_t)0xCD9E8D57u * words[2][i];
            words[0][i] = (uint32_t)(product1 >> 32) ^ words[1][i] ^ k0;
            words[1][i] = (uint32_t)product1;
            words[2][i] = (uint32_t)(product0 >> 32) ^ words[3][i] ^ k1;
            words[3][i] = (uint32_t)product0;
        }
    for (int i = 0; i < CALLS; i++) {
        normal_point(words[0][i], words[1][i], &normals[i], &normals[CALLS + i]);
        normal_point(words[2][i], words[3][i], &normals[2 * CALLS + i], &normals[3 * CALLS + i]);
    }
}

void rng_normals(uint64_t key, uint64_t block, size_t n, float *normals)
{
    float rest[RNG_NORMALS];
    for (; n >= RNG_NORMALS; n -= RNG_NORMALS, normals += RNG_NORMALS)
        normal_block(key, block++, normals);
    if (n > 0) {
        normal_block(key, block, rest);
        memcpy(normals, rest, n * sizeof *normals);
    }
}

/* A permutation of [0, 4^bits): two halves of `bits` bits, eight rounds. */
static uint64_t feistel(uint64_t key, unsigned bits, uint64_t value)
{
    uint32_t mask = bits == 32 ? 0xFFFFFFFFu : (1u << bits) - 1;
    uint32_t left = (uint32_t)(value >> bits), right = (uint32_t)value & mask;
    for (uint64_t round = 0; round < 8; round++) {
        uint64_t mix = (key + 0x9E3779B97F4A7C15u * (round + 1)) ^ right;
        mix = (mix ^ (mix >> 30)) * 0xBF58476D1CE4E5B9u;
        mix = (mix ^ (mix >> 27)) * 0x94D049BB133111EBu;
        uint32_t next = left ^ ((uint32_t)(mix >> 31) & mask);
        left = right;
        right = next;
    }
    return (uint64_t)left << bits | right;
}

uint64_t rng_permute(uint64_t key, uint64_t count, uint64_t index)
{
    CHECK(index < count && count <= (uint64_t)1 << 62, "the index must lie in the domain");
    unsigned bits = 1;
    while ((uint64_t)1 << (2 * bits) < count)
        bits++;
    /* The power of four is less than 4 * count, so that the walk comes back after fewer than 4 steps on average. */
    do
        index = feistel(key, bits, index);
    while (index >= count);
    return index;
}
