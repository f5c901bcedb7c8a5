/* Standardisation: values of a column are shifted by its mean and divided by its standard deviation, both of the
 * training data. A column is one number of a flat sample, one channel of a sequence [positions, channels] or of an
 * image [channels, height, width], one target.
 *
 * Deviations are those of the population. They come from sums of (x - r) and (x - r)^2 in double, r being the first
 * value of the column: one of n values is not further than sqrt(n) deviations from their mean, so that no more bits
 * cancel out than n has; and constant columns have sums that are exactly 0.
 *
 * Letters: M samples, C columns. */
#ifndef DATA_STANDARD_H
#define DATA_STANDARD_H

#include "base/leaf.h"

/* What a job file says. */
enum standardise_kind {
    STANDARDISE_UNSET = 0,
    STANDARDISE_NONE,
    STANDARDISE_INPUTS,
    STANDARDISE_TARGETS,
    STANDARDISE_BOTH,
};

static inline bool standardise_has_inputs(enum standardise_kind kind)
{
    return kind == STANDARDISE_INPUTS || kind == STANDARDISE_BOTH;
}

static inline bool standardise_has_targets(enum standardise_kind kind)
{
    return kind == STANDARDISE_TARGETS || kind == STANDARDISE_BOTH;
}

/* Local. Whether samples of this form have what is to be standardised. ERROR_USAGE. */
bool standardise_check(enum standardise_kind kind, const struct leaf_form *form, struct error *error) WARN_UNUSED;

struct standard {
    size_t columns; /* C; 0: nothing is standardised */
    float *mean;    /* [C]; owned, as the others */
    float *scale;   /* [C] what differences are divided by: above 0, and so that 1 / scale is finite */
    float *inverse; /* [C] 1 / scale, as a float */
};

/* Local. C of samples of this shape. */
size_t standard_columns(const struct shape *shape);

/* Local. How the columns lie in a sample of this shape: [outer, C, inner]. */
void standard_lie(const struct shape *shape, size_t *outer, size_t *inner);

/* Local. Of so many columns, which stay as they are: mean 0, scale 1. Release accepts a released one. */
void standard_init(struct standard *standard, size_t columns);
void standard_copy(struct standard *standard, const struct standard *from);
void standard_release(struct standard *standard);

/* Local. Sets a column. False, and nothing set, if that cannot be one: not finite, or no scale to divide by. */
bool standard_set(struct standard *standard, size_t column, float mean, float scale) WARN_UNUSED;

/* Local. A column stays as it is. */
void standard_leave(struct standard *standard, size_t column);

/* Local. Whether both say the same, to the bit. */
bool standard_equals(const struct standard *standard, const struct standard *other);

/* Local. The first value of each column of a sample: first [C]. */
void standard_refer(const struct shape *shape, const float *values, float *first);

/* Local. Adds to sums [2, C] what M samples have of (x - first) and of its square, in their order. */
void standard_add(const struct shape *shape, const float *values, size_t samples, const float *first, double *sums);

/* Local. Sets all columns from the sums [2, C] over so many samples. One that is constant, or so nearly that nothing
 * can be divided by its deviation, gets the scale 1; returns how many are. */
size_t standard_learn(struct standard *standard, const struct shape *shape, const float *first, const double *sums,
                      size_t samples);

/* Local. (x - mean) * inverse, each operation rounded to a float, for M samples of this shape in place. */
void standard_apply(const struct standard *standard, const struct shape *shape, float *values, size_t samples);

/* Local. A standardised value in original units; the same value, if there are no columns. */
static inline double standard_original(const struct standard *standard, size_t column, float value)
{
    bool is_scaled = standard->columns > 0;
    return is_scaled ? (double)standard->mean[column] + (double)standard->scale[column] * (double)value : (double)value;
}

#endif
