/* 64-bit digests: XXH3 with seed 0 (Y. Collet, xxHash 0.8, "XXH3_64bits"), fixed for the life of the file format. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Local. The digest of a range of bytes. */
uint64_t digest_bytes(const void *bytes, size_t count);

/* Local. Folds `next` into a running digest; order matters. Start from 0. */
uint64_t digest_chain(uint64_t digest, uint64_t next);

/* Local. Digest of each block of `block` floats (the last may be shorter): digests[i] for values[i*block ...). */
void digest_blocks(const float *values, size_t count, size_t block, uint64_t *digests);

#endif
