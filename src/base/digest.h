/* 64-bit digests: XXH3 with seed 0 (Y. Collet, xxHash 0.8, "XXH3_64bits"), fixed for the life of the file format. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Local. The digest of a range of bytes. */
uint64_t digest_bytes(const void *bytes, size_t count);

/* Local. The same of bytes that come in pieces: digest_close returns the digest of all that was added, and frees. */
struct digest_stream;
struct digest_stream *digest_open(void) WARN_UNUSED;
void digest_add(struct digest_stream *stream, const void *bytes, size_t count);
uint64_t digest_close(struct digest_stream *stream);

/* Local. Folds `next` into a running digest; order matters. Start from 0. */
uint64_t digest_chain(uint64_t digest, uint64_t next);

/* Local. Digest of each block of `block` floats (the last may be shorter): digests[i] for values[i*block ...). */
void digest_blocks(const float *values, size_t count, size_t block, uint64_t *digests);

#endif
