/* Shares of the samples of a dataset, such as one for training and one for validation. Single samples: a permutation
 * (base/rng.h) puts them in a row, of which each share is a range. Or whole chunks, so that each is read for one share
 * alone. Pure functions of seed, count and chunks. */
#ifndef DATA_SHARE_H
#define DATA_SHARE_H

#include "base/error.h"
#include "data/chunks.h"

#include <stdint.h>

struct share {
    uint64_t key;   /* of the permutation */
    uint64_t of;    /* all samples; 0: nothing is shared out, and these are all */
    uint64_t first; /* place of the share's first sample in the row */
    uint64_t count;
    struct chunks chunks; /* that it is made of; none: it is one of single samples, or all. Owned: share_release */
};

/* Local. Cuts `of` samples in two: *taken is about `part` of them (0 < part < 1), *rest the others. ERROR_USAGE: one of
 * the two has none. */
bool share_cut(uint64_t seed, uint64_t of, double part, struct share *taken, struct share *rest,
               struct error *error) WARN_UNUSED;

/* Local. The same by whole chunks: those of all samples. Release both. */
bool share_cut_chunks(uint64_t seed, const struct chunks *all, double part, struct share *taken, struct share *rest,
                      struct error *error) WARN_UNUSED;

/* Local. Accepts a released one. */
void share_release(struct share *share);

/* Local. Which of all samples is that at `place` < count of the share. */
uint64_t share_sample(const struct share *share, uint64_t place);

/* Local. The digest of the share, from that of all samples. */
uint64_t share_digest(const struct share *share, uint64_t digest);

#endif
