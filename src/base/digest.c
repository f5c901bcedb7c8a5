#include "base/digest.h"

#include <xxhash.h>

uint64_t digest_bytes(const void *bytes, size_t count)
{
    return XXH3_64bits(bytes, count);
}

uint64_t digest_chain(uint64_t digest, uint64_t next)
{
    uint64_t pair[2] = {digest, next};
    return XXH3_64bits(pair, sizeof pair);
}

void digest_blocks(const float *values, size_t count, size_t block, uint64_t *digests)
{
    for (size_t first = 0; first < count; first += block) {
        size_t length = count - first < block ? count - first : block;
        digests[first / block] = digest_bytes(values + first, length * sizeof *values);
    }
}
