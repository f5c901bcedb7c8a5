#include "checkpoint/state.h"

#include "base/digest.h"

#include <string.h>

uint64_t state_fingerprint(uint64_t step, size_t array_count, const char *const *names, const uint64_t *const *digests,
                           size_t blocks)
{
    uint64_t fingerprint = digest_chain(0, step);
    for (size_t a = 0; a < array_count; a++) {
        fingerprint = digest_chain(fingerprint, digest_bytes(names[a], strlen(names[a])));
        fingerprint = digest_chain(fingerprint, digest_bytes(digests[a], blocks * sizeof *digests[a]));
    }
    return fingerprint;
}
