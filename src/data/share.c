#include "data/share.h"

#include "base/digest.h"
#include "base/plural.h"
#include "base/rng.h"

#include <inttypes.h>
#include <math.h>

bool share_cut(uint64_t seed, uint64_t of, double part, struct share *taken, struct share *rest, struct error *error)
{
    uint64_t count = (uint64_t)llround((double)of * part), key = rng_key(seed, "split");
    if (count == 0 || count >= of)
        return error_set(error, ERROR_USAGE, "%g of %" PRIu64 " sample%s %s %" PRIu64 ": each share needs one at least",
                         part, of, plural(of), of == 1 ? "is" : "are", count);
    *taken = (struct share){.key = key, .of = of, .count = count};
    *rest = (struct share){.key = key, .of = of, .first = count, .count = of - count};
    return true;
}

bool share_cut_chunks(uint64_t seed, const struct chunks *all, double part, struct share *taken, struct share *rest,
                      struct error *error)
{
    uint64_t key = rng_key(seed, "split");
    *taken = *rest = (struct share){.key = key};
    if (!chunks_share(all, key, part, &taken->chunks, &rest->chunks, error))
        return false;
    struct share *const both[] = {taken, rest};
    for (int i = 0; i < 2; i++) {
        both[i]->of = all->place[all->count];
        both[i]->count = both[i]->chunks.place[both[i]->chunks.count];
    }
    return true;
}

void share_release(struct share *share)
{
    chunks_release(&share->chunks);
    *share = (struct share){0};
}

uint64_t share_sample(const struct share *share, uint64_t place)
{
    if (share->of == 0)
        return place;
    if (share->chunks.count > 0)
        return chunks_sample(&share->chunks, place);
    return rng_permute(share->key, share->of, share->first + place);
}

uint64_t share_digest(const struct share *share, uint64_t digest)
{
    if (share->of == 0)
        return digest;
    if (share->chunks.count > 0)
        return digest_chain(digest, chunks_digest(&share->chunks));
    digest = digest_chain(digest_chain(digest, share->key), share->first);
    return digest_chain(digest, share->count);
}
