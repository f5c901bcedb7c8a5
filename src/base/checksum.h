/* Checksums of floats that stay in memory: has a bit flipped since they were written? Several times as fast as a digest
 * (base/digest.h), about as fast as the first-level cache can be read, and of no meaning outside the process. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Local. The checksum of `count` floats; never 0, which is free to mean that there is none. One flipped bit changes it.
 * Of two that flip at random in 4,096 floats all but one pair in 37,000 do: the same bit, in opposite directions, of
 * floats that lie a multiple of 64 bytes apart in the same 512 bytes. What is lost, moved or written twice changes it
 * as well, unless 64 bytes have only changed places within their 512. (All this but for a chance of 2^-64.) */
uint64_t checksum_floats(const float *values, size_t count);

/* The same of floats that come in pieces, one behind the other. */
struct checksum {
    uint64_t plain[8], turned[8]; /* private, as the other */
    size_t count;
};

/* Local. Nothing so far. Then pieces, of which all but the last are a multiple of CHECKSUM_GROUP floats. */
#define CHECKSUM_GROUP 128
void checksum_begin(struct checksum *checksum);
void checksum_add(struct checksum *checksum, const float *values, size_t count);

/* Local. What checksum_floats gives for all that was added. */
uint64_t checksum_end(const struct checksum *checksum);

#endif
