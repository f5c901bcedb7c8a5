/* Augmentation: training samples are changed at random on their way from a dataset into the model, otherwise in each
 * epoch. What becomes of a sample is a pure function of (seed, epoch, index in the dataset), so that nothing of it has
 * to be saved, and it is the same on any number of ranks, in any batch, and after any resume. What one kind of change
 * draws does not hang on which others there are.
 *
 * It acts on what the model sees: behind `mean`, `std` and data.standardise. So the 0 that comes in from outside of an
 * image is the mean where the inputs are standardised. Labels of pixels move with their image.
 *
 * Letters: images [C, H, W]. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "base/option.h"
#include "data/description.h"
#include "data/sampler.h"

enum flip_kind {
    FLIP_UNSET = 0,
    FLIP_NONE,
    FLIP_HORIZONTAL,
    FLIP_VERTICAL,
    FLIP_BOTH,
};

/* What a job file says, and what is done in this order. All zero: nothing. */
struct augment {
    enum flip_kind flip; /* left and right change places, or top and bottom, or each of the two, in half of the cases */
    uint64_t shift;      /* pixels at most, up, down, left and right; the edge's pixels are repeated */
    uint64_t crop;       /* the same, but 0 comes in: what a random crop of a padded image is */
    double rotate;       /* degrees at most, either way, about the middle: bilinear, 0 comes in */
    double noise;        /* deviation of normal noise on each number, but those of categories */
    uint64_t cutout;     /* side of a square of 0 about a random pixel, as much of it as lies in the image */
};

/* The rows of the section; their base is a struct augment. */
extern const struct option_row augment_rows[];

/* Local. Whether it changes anything. */
bool augment_is_on(const struct augment *augment);

/* Local. Whether samples of this form can be changed so. ERROR_USAGE, beginning with the key. */
bool augment_check(const struct augment *augment, const struct leaf_form *form, struct error *error) WARN_UNUSED;

/* What changes the samples of a dataset. Used by one thread at a time. */
struct augmenter {
    struct augment how;
    uint64_t key;
    struct shape shape;  /* of a sample */
    bool has_labels;     /* [H, W] of its pixels */
    bool *is_category;   /* [shape_count(shape)] numbers that take no noise; NULL: there are none */
    float *copy, *plane; /* [C, H, W] and [H, W] scratch; NULL: these are no images */
};

/* Local. For samples of this description, which augment_check has passed. Release accepts a released one, and one that
 * is all zero. */
void augmenter_init(struct augmenter *augmenter, const struct augment *augment, uint64_t seed,
                    const struct description *about);
void augmenter_release(struct augmenter *augmenter);

/* Local. Changes sample `index` of the dataset, as epoch `epoch` has it: values [shape_count(shape)], and the labels of
 * its pixels [H, W], if it has them (else NULL will do). Allocates nothing. */
void augmenter_sample(const struct augmenter *augmenter, uint64_t epoch, uint64_t index, float *values,
                      int32_t *labels);

/* Local. Changes rows [0, n) of the leaf, which are the samples indices [n] from this place in the sampler's row on. */
void augmenter_leaf(const struct augmenter *augmenter, const struct sampler *sampler, uint64_t position,
                    const uint64_t *indices, size_t n, struct leaf *leaf);

#endif
