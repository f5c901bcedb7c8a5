#include "base/digest.h"

#include "base/check.h"

#include <xxhash.h>

uint64_t digest_bytes(const void *bytes, size_t count)
{
    return XXH3_64bits(bytes, count);
}

/* xxHash's own state under our name: only this file knows its type. */
static XXH3_state_t *state_of(struct digest_stream *stream)
{
    return (XXH3_state_t *)(void *)stream;
}

struct digest_stream *digest_open(void)
{
    XXH3_state_t *state = XXH3_createState();
    CHECK(state && XXH3_64bits_reset(state) == XXH_OK, "no memory for a digest");
    return (struct digest_stream *)(void *)state;
}

void digest_add(struct digest_stream *stream, const void *bytes, size_t count)
{
    XXH3_64bits_update(state_of(stream), bytes, count);
}

uint64_t digest_close(struct digest_stream *stream)
{
    uint64_t digest = XXH3_64bits_digest(state_of(stream));
    XXH3_freeState(state_of(stream));
    return digest;
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
