/* What a checkpoint holds, seen from one rank: named arenas of P floats each, of which this rank has its shard, and
 * names for the tensors inside. It describes; the memory belongs to the trainer. */
#ifndef CHECKPOINT_STATE_H
#define CHECKPOINT_STATE_H

#include "parallel/exchange.h"

#include <stddef.h>
#include <stdint.h>

#define STATE_ARRAYS 4 /* at most: parameters and moments */
#define STATE_DIMS   5
#define STATE_ALIGN  16 /* floats: what a tensor begins at a multiple of, and nothing but zeros up to that */

/* A tensor: the elements [offset, offset + product of shape) of every array. All of them, each with a name of its own,
 * tile the arrays, but for zeros up to the next multiple of STATE_ALIGN, and, once, of EXCHANGE_BLOCK: in front of
 * those that are not learned. */
struct state_tensor {
    const char *name;
    size_t dims;
    size_t shape[STATE_DIMS];
    size_t offset;
};

struct state_array {
    const char *name;     /* "params" is the model; others belong to the optimizer */
    float *values;        /* [shard.count] of this rank */
    const uint64_t *sums; /* [its blocks] checksums (base/checksum.h) that were taken when they were written; 0: was not
                           * taken. NULL: none were */
};

struct state {
    size_t count;       /* P: floats of every array */
    struct shard shard; /* this rank's part of every array */
    struct state_array arrays[STATE_ARRAYS];
    size_t array_count;
    const struct state_tensor *tensors;
    size_t tensor_count;
};

/* Local. The fingerprint of a state at a step: XXH3 over the step, and for each array its name and the digests of its
 * blocks. digests[a] are the digests of all blocks of array a. Independent of the number of ranks. */
uint64_t state_fingerprint(uint64_t step, size_t array_count, const char *const *names, const uint64_t *const *digests,
                           size_t blocks);

#endif
