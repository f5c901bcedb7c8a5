/* Floats as other programs store them, and in the order in which they store them. */
#ifndef WEIGHTS_FLOATS_H
#define WEIGHTS_FLOATS_H

#include <stdbool.h>
#include <stddef.h>

enum floats_type {
    FLOATS_NONE = 0, /* something else: integers, booleans, texts */
    FLOATS_F16,      /* IEEE 754 binary16 */
    FLOATS_BF16,     /* the upper half of a binary32 */
    FLOATS_F32,
    FLOATS_F64,
};

struct floats_form {
    enum floats_type type;
    bool big_endian;
};

/* Local. Bytes of one element; 0 for FLOATS_NONE. */
size_t floats_size(enum floats_type type);

/* Local. Stored elements to float32; those of FLOATS_F64 are rounded. How many that are not zero have become it, and
 * (if there are any) *first, the place of the first of them; NULL: nobody asks. */
size_t floats_decode(struct floats_form form, const void *bytes, size_t count, float *values, size_t *first);

/* Local. out = the elements of `in` in the order of a walk over `dims` indices, the last one fastest; index d runs to
 * sizes[d], and a step of it is strides[d] elements of `in`. */
void floats_gather(size_t dims, const size_t *sizes, const size_t *strides, const float *in, float *out);

/* Local. The other way round: elements of `in` in that order to their places in `out`. */
void floats_scatter(size_t dims, const size_t *sizes, const size_t *strides, const float *in, float *out);

#endif
