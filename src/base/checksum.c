/* Sums in 64-bit lanes, modulo 2^64, of rows that are one AVX-512 register wide. A group of rows is summed first, so
 * that what tells places apart costs little: the sums of the groups go into a plain sum, and into one that is turned in
 * between. Two bits of different groups that cancel each other in the one do not in the other, since they are the same
 * bit of a word for the first, and never for the second. */
#include "base/checksum.h"

#include "base/target.h"

#include <string.h>

#define LANES 8
#define ROW   (LANES * sizeof(uint64_t))
#define GROUP 8 /* rows: CHECKSUM_GROUP floats */
#define TURN  7 /* bits: odd, so that it takes 64 groups, more than a block has, to come round */
#define ODD_1 0x9e3779b97f4a7c15u
#define ODD_2 0xc2b2ae3d27d4eb4fu

static inline void add_group(struct checksum *checksum, const char *bytes)
{
    uint64_t sums[LANES] = {0};
    for (size_t row = 0; row < GROUP; row++) {
        uint64_t words[LANES];
        memcpy(words, bytes + row * ROW, ROW);
        for (size_t l = 0; l < LANES; l++)
            sums[l] += words[l];
    }
    for (size_t l = 0; l < LANES; l++) {
        checksum->plain[l] += sums[l];
        checksum->turned[l] = (checksum->turned[l] << TURN | checksum->turned[l] >> (64 - TURN)) + sums[l];
    }
}

void checksum_begin(struct checksum *checksum)
{
    memset(checksum, 0, sizeof *checksum);
}

TARGET_CLONES void checksum_add(struct checksum *checksum, const float *values, size_t count)
{
    const char *bytes = (const char *)values, *end = bytes + count * sizeof *values;
    struct checksum own = *checksum; /* in registers */
    own.count += count;
    for (; (size_t)(end - bytes) >= GROUP * ROW; bytes += GROUP * ROW)
        add_group(&own, bytes);
    if (bytes < end) {
        char rest[GROUP * ROW] = {0};
        memcpy(rest, bytes, (size_t)(end - bytes));
        add_group(&own, rest);
    }
    *checksum = own;
}

static inline uint64_t fold(uint64_t sum, uint64_t lane, uint64_t odd)
{
    sum = (sum ^ lane) * odd;
    return sum ^ sum >> 32;
}

uint64_t checksum_end(const struct checksum *checksum)
{
    uint64_t plain = checksum->count, turned = checksum->count;
    for (size_t l = 0; l < LANES; l++) {
        plain = fold(plain, checksum->plain[l], ODD_1);
        turned = fold(turned, checksum->turned[l], ODD_2);
    }
    uint64_t sum = plain ^ (turned << 29 | turned >> 35);
    return sum ? sum : 1;
}

uint64_t checksum_floats(const float *values, size_t count)
{
    struct checksum checksum;
    checksum_begin(&checksum);
    checksum_add(&checksum, values, count);
    return checksum_end(&checksum);
}
