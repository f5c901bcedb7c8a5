/* Fields: copies of some channels of some samples, such that what a weight of a convolution sees at a place lies at the
 * weight's offset plus the place's, also beside the image, where zeros are. Along the last side the values that places
 * next to each other see lie next to each other, whatever the stride: those of every so manyth column by themselves.
 *
 * Private to convolution.c. Letters as there. */
#ifndef NN_KERNELS_FIELD_H
#define NN_KERNELS_FIELD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    FIELD_SIDES = 3,
    FIELD_COPY = 16,  /* floats that are copied at once, behind what is wanted as well */
    FIELD_MOST = 512, /* of a row */
};

/* What is seen, or made: [M, channels, sides], or channels last. */
struct image {
    const float *values;
    size_t channels;
    const size_t *side;
    bool channels_last;
};

/* Along one side: place j sees, by weight first + i apart, the value at j step + offset + i slope of `size`, and is
 * itself at start + j pitch. */
struct axis {
    size_t size, places, step;
    size_t taps, first, apart; /* weights that see anything at such places: how many, which */
    ptrdiff_t offset, slope;
    size_t start, pitch;
};

/* Some places: of the samples, and along the sides. Where a part is meant, those outside are one, and inside all. */
struct block {
    size_t begin[1 + FIELD_SIDES], count[1 + FIELD_SIDES];
};

/* n values from `from` on of a field, or of an image, that lie at `to` of a panel's row. */
struct run {
    size_t from, to, n;
};

struct field {
    const float *values;
    size_t sample, channel, plane, line; /* floats from one to the next; of a line also: */
    size_t phase;                        /* from those of one column to those of the next, within a step */
    const float *end;                    /* of what may be read; NULL: FIELD_COPY behind it */
};

/* Local. How many floats a field takes for this block's places and so many channels, with FIELD_COPY behind it. */
size_t field_floats(const struct axis *axes, const struct block *block, size_t channels);

/* Local. Makes it in scratch, or finds that the image is one as it is. */
struct field field_make(const struct axis *axes, const struct block *block, const struct image *image,
                        size_t first_channel, size_t channels, float *scratch);

/* Local. The offset in the field of weight [i] along the three sides, for the field's first channel. */
size_t field_tap(const struct field *field, const struct axis *axes, const size_t i[FIELD_SIDES]);

/* Local. Places [first, first + n) of the block as runs of the field, n at most; returns how many. */
size_t field_runs(const struct field *field, const struct axis *axes, const struct block *block, size_t first, size_t n,
                  struct run *runs);

/* Local. The same, of the image that is made: where its channel 0 has them, each pitch of the last axis apart. */
size_t image_runs(const struct image *image, const struct axis *axes, const struct block *block, size_t first, size_t n,
                  struct run *runs);

/* Local. rows [k, n], `pitch` floats apart, of what k weights at these offsets see. FIELD_COPY floats behind each row
 * may be overwritten before the next is made, and behind the last. n <= FIELD_MOST. */
void field_gather(const struct field *field, size_t k, const size_t *taps, size_t count, const struct run *runs,
                  float *rows, size_t pitch);

#endif
