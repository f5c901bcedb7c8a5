#include "base/rng.h"

#include "base/check.h"
#include "base/digest.h"

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

/* log(x) of a normal x > 0: of its exponent, and of its mantissa by the series of artanh, which converges as 1 / 34^k.
 */
static double logarithm(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < M_SQRT1_2) {
        m *= 2;
        exponent--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int k = 23; k >= 1; k -= 2)
        sum = sum * square + 1.0 / k;
    return exponent * M_LN2 + 2 * s * sum;
}

/* Of an angle of at most pi/4 by their power series, and then by symmetry. */
void rng_circle(double u, double *c, double *s)
{
    int quarter = (int)(4 * u + 0.5);
    double angle = 2 * M_PI * (u - 0.25 * quarter), square = angle * angle, even = 1, odd = 1;
    for (int k = 18; k >= 2; k -= 2) {
        even = 1 - even * square / ((k - 1) * k);
        odd = 1 - odd * square / (k * (k + 1));
    }
    odd *= angle;
    *c = quarter % 4 == 0 ? even : quarter % 4 == 1 ? -odd : quarter % 4 == 2 ? -even : odd;
    *s = quarter % 4 == 0 ? odd : quarter % 4 == 1 ? even : quarter % 4 == 2 ? -odd : -even;
}

/* Neighbours are the two coordinates of one point; in the lane 1, away from the uniform numbers. */
static void normal_pair(uint64_t key, uint64_t pair, double numbers[2])
{
    uint32_t words[4];
    rng_words(key, pair, 1, words);
    double radius = sqrt(-2 * logarithm((words[0] + 0.5) * 0x1p-32));
    rng_circle(words[1] * 0x1p-32, &numbers[0], &numbers[1]);
    numbers[0] *= radius;
    numbers[1] *= radius;
}

double rng_normal(uint64_t key, uint64_t counter)
{
    double numbers[2];
    normal_pair(key, counter / 2, numbers);
    return numbers[counter % 2];
}

void rng_normals(uint64_t key, uint64_t first, size_t n, float *normals)
{
    double numbers[2];
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || (first + i) % 2 == 0)
            normal_pair(key, (first + i) / 2, numbers);
        normals[i] = (float)numbers[(first + i) % 2];
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
