/* Leaves of samples, read ahead: while the model computes with one, a thread reads the next.
 *
 * Which samples a leaf has is told by whoever takes it, and so is what comes next. What is read ahead is therefore a
 * guess, and only when something is read hangs on it, never what: a leaf that is there and is not the one that is
 * wanted is dropped. A read that costs less than to wake a thread and to wait for it, as one from a file that lies in
 * memory, is made when it is wanted, by the caller.
 *
 * A dataset is read by one thread at a time (dataset.h). From a take that tells a next leaf until the next take, or a
 * rest, that is the thread here: nobody else then reads from that dataset, or from one that has a part of its samples,
 * looks at its files, proves them or asks it what has failed. */
#ifndef DATA_PREFETCH_H
#define DATA_PREFETCH_H

#include "data/augment.h"
#include "data/dataset.h"
#include "data/sampler.h"

/* Which samples. All of it is borrowed, and used by one thread at a time as the dataset is. An augmenter wants a
 * sampler.
 */
struct leaf_place {
    const struct dataset *dataset;
    const struct sampler *sampler;     /* whose row they stand in; NULL: in the order of the dataset */
    const struct augmenter *augmenter; /* changes them; NULL: they stay as they are */
    uint64_t position;                 /* of the first one, in that row or in the dataset */
    size_t rows;                       /* samples */
    uint64_t first;                    /* what leaf->first will be */
};

struct prefetch;

/* Local. For leaves of up to `rows` rows of this form. what: is read, for the watchdog; borrowed. ERROR_IO: no memory,
 * or no thread. */
bool prefetch_open(struct prefetch **prefetch, const struct leaf_form *form, size_t rows, const char *what,
                   struct error *error) WARN_UNUSED;

/* Local, watched: a read that goes on is waited for. Accepts NULL. */
void prefetch_close(struct prefetch *prefetch);

/* Local, watched. Sets all of *leaf, which was made for the same form and rows: its buffers change places with others
 * of that size, and are the caller's until the next take. False: a read of this dataset has failed, which
 * dataset_failed explains after a rest. What dataset_read says of files that change holds here, too. next: what will
 * probably be taken next; NULL: nothing is read before it is wanted. Allocates nothing. */
bool prefetch_take(struct prefetch *prefetch, const struct leaf_place *place, const struct leaf_place *next,
                   struct leaf *leaf) WARN_UNUSED;

/* Local, watched. When it returns nothing is being read, nor will be before the next take; what has been read ahead
 * stays. Accepts NULL. */
void prefetch_rest(struct prefetch *prefetch);

#endif
