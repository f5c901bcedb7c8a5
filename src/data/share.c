#include "data/share.h"

#include "base/digest.h"
#include "base/rng.h"

#include <inttypes.h>
#include <math.h>

bool share_cut(uint64_t seed, uint64_t of, double part, struct share *taken, struct share *rest, struct error *error)
{
    uint64_t count = (uint64_t)llround((double)of * part), key = rng_key(seed, "split");
    if (count == 0 || count >= of)
        return error_set(error, ERROR_USAGE, "%g of %" PRIu64 " samples are %" PRIu64 ": each share needs one at least",
                         part, of, count);
    *taken = (struct share){.key = key, .of = of, .count = count};
    *rest = (struct share){.key = key, .of = of, .first = count, .count = of - count};
    return true;
}

uint64_t share_sample(const struct share *share, uint64_t place)
{
    return share->of == 0 ? place : rng_permute(share->key, share->of, share->first + place);
}

uint64_t share_digest(const struct share *share, uint64_t digest)
{
    if (share->of == 0)
        return digest;
    digest = digest_chain(digest_chain(digest, share->key), share->first);
    return digest_chain(digest, share->count);
}
