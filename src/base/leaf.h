/* A leaf of samples on its way from a dataset, which fills it, into a model, which reads it.
 *
 * Letters: M rows (samples) of a leaf, T terms: predictions of a sample that the loss counts one by one. */
#ifndef BASE_LEAF_H
#define BASE_LEAF_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SHAPE_DIMS 4

/* The shape of one sample's values anywhere between data and loss: 1 dimension [features], 2 [positions, channels]
 * (a sequence, channels last), 3 [channels, height, width] (an image), 4 [channels, depth, height, width] (a volume).
 */
struct shape {
    size_t dims;
    size_t size[SHAPE_DIMS]; /* those beyond dims are 0 */
};

/* Local. The product of the sizes; 0 if there are no dimensions; SIZE_MAX if it is more than that. */
size_t shape_count(const struct shape *shape);

/* Local. Whether samples of both shapes are the same numbers in the same places: the sizes are equal, but for a 1 in
 * front of those of one of them. */
bool shape_lies_as(const struct shape *shape, const struct shape *other);

/* Local. "3x32x32" for messages. */
void shape_text(const struct shape *shape, char *text, size_t bytes);

#define LEAF_HINT 200 /* bytes */

/* What the samples of a dataset look like. */
struct leaf_form {
    struct shape input;   /* floats; or of tokens: one dimension, [context] */
    size_t vocabulary;    /* tokens are in [0, vocabulary); 0: the inputs are floats */
    size_t classes;       /* labels are in [0, classes); 0: the targets are floats */
    size_t terms;         /* T: labels of a sample; with float targets: targets of a sample */
    struct shape target;  /* of these, as the data has them: [height, width] of a label a pixel; no dimensions: it does
                             not tell more than T */
    bool ignores;         /* labels may be LEAF_IGNORED because somebody wants it so */
    float least, most;    /* float targets lie between these */
    char hint[LEAF_HINT]; /* where to look if there seem to be too many classes, for messages: where the largest label
                           * comes first, or the rarest class; "": nobody has seen */
};

#define LEAF_IGNORED (-1) /* a label that does not count: no loss, no gradient */

/* Only the two buffers that the form has are not NULL. */
struct leaf {
    size_t rows;     /* M: in use */
    uint64_t first;  /* place of the first row in the global batch of the step (validation: in the dataset) */
    float *inputs;   /* [M, shape_count(input)] */
    int32_t *tokens; /* [M, context] */
    int32_t *labels; /* [M, T] */
    float *targets;  /* [M, T] */
};

/* Local. Buffers for up to `rows` rows. Release accepts a released leaf. */
bool leaf_init(struct leaf *leaf, const struct leaf_form *form, size_t rows, struct error *error) WARN_UNUSED;
void leaf_release(struct leaf *leaf);

/* Local. Bytes of these buffers. */
size_t leaf_bytes(const struct leaf_form *form, size_t rows);

#endif
