/* The chunks that the samples of a dataset lie in: runs of samples that are stored, and best read, together. Those of
 * one dataset need not be equally long: files have a shorter one at their end. */
#ifndef DATA_CHUNKS_H
#define DATA_CHUNKS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define CHUNKS_MOST ((size_t)1 << 24) /* of a dataset */

struct chunks {
    size_t count;     /* 0: there are none */
    uint64_t *place;  /* [count + 1] where each begins, their samples being counted from 0; [count]: how many these are.
                         NULL if there are none */
    uint64_t *sample; /* [count] the first sample of each, as the format of the dataset counts */
    size_t room;      /* private: for so many */
};

/* Local. One more, behind the others: `length` (above 0) samples from this one on. */
void chunks_add(struct chunks *chunks, uint64_t sample, uint64_t length);

/* Local. Accepts what is all 0. */
void chunks_release(struct chunks *chunks);

/* Local. The last of [low, high), which is not empty, that does not begin behind the place; begins is ascending. */
size_t chunks_last(const uint64_t *begins, size_t low, size_t high, uint64_t place);

/* Local. Which chunk this place is in, and which sample of the format it is. place < chunks->place[count]. */
size_t chunks_find(const struct chunks *chunks, uint64_t place);
uint64_t chunks_sample(const struct chunks *chunks, uint64_t place);

/* Local. Tells which samples lie together; not 0. Of those that begin at sample 0 this is their lengths. */
uint64_t chunks_digest(const struct chunks *chunks);

/* Local. How many samples each has, but for the last, which has no more; 0: they are not so even, or there are none.
 * Such chunks are those of as many samples each. */
uint64_t chunks_even(const struct chunks *chunks);

/* Local. Shares whole chunks out: *taken gets some that have about `part` of the samples (0 < part < 1), *rest the
 * others, in the order that they have in `all`. Which, hangs on the key alone. Both are to be released. ERROR_USAGE,
 * and nothing stays: there is but one. */
bool chunks_share(const struct chunks *all, uint64_t key, double part, struct chunks *taken, struct chunks *rest,
                  struct error *error) WARN_UNUSED;

#endif
