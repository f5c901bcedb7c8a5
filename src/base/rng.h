/* Randomness without state: every number is a pure function of (key, counter).
 *
 * Generator: Philox4x32-10 (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3).
 * Permutation: a balanced Feistel network with cycle walking (J. Black, P. Rogaway, "Ciphers with arbitrary finite
 * domains", CT-RSA 2002, section 3), the finalizer of SplitMix64 (G. Steele et al., OOPSLA 2014) as round function. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Local. A key from a seed and the name of a purpose ("weights", "order", ...), so that purposes never share numbers.
 */
uint64_t rng_key(uint64_t seed, const char *purpose);

/* Local. Four independent 32-bit words for (key, counter, lane). */
void rng_words(uint64_t key, uint64_t counter, uint64_t lane, uint32_t words[4]);

/* Local. Uniform in [0, 1), 24 bits, for (key, counter). */
float rng_uniform(uint64_t key, uint64_t counter);

/* Local. Normal with mean 0 and deviation 1, for (key, counter): G. Box, M. Muller, "A note on the generation of random
 * normal deviates", 1958. Logarithm, sine and cosine are our own, so that the bits do not depend on the C library. */
double rng_normal(uint64_t key, uint64_t counter);

/* Local. Many at once, for a tenth of what they cost one by one, with the accuracy of a float and up to 5.8 deviations:
 * n numbers from the beginning of a block of RNG_NORMALS on. They are not those of rng_normal. */
#define RNG_NORMALS 128
void rng_normals(uint64_t key, uint64_t block, size_t n, float *normals);

/* Local. Element `index` of a permutation of [0, count), chosen by key: O(1) memory, O(1) expected time.
 * 1 <= count <= 2^62, index < count. For each key a bijection.
 *
 * What it is not: a round of the network is an even permutation of 16 or more places, so that a count of 16, 64, 256...
 * has only even ones; and with halves of two bits the round functions are so few that of 5 to 15 things not every order
 * comes equally often. No training can tell, and a job that is resumed has to meet the order that it has left. */
uint64_t rng_permute(uint64_t key, uint64_t count, uint64_t index);

#endif
