/* Whether numbers of an array can be used: each is there, and becomes a finite float. */
#ifndef DATA_ARRAY_NUMBERS_H
#define DATA_ARRAY_NUMBERS_H

#include "data/array.h"

/* Local. The first that is not finite; n: all are. */
size_t array_find_infinite(const float *values, size_t n);

/* Local. Whether no number of these rows is the fill value. ERROR_CORRUPT names the place. */
bool array_check_missing(const struct array_rows *rows, struct error *error) WARN_UNUSED;

/* What is wrong, or odd, where somebody only wants to know of it. */
struct array_gaps {
    uint64_t count;     /* numbers that are none */
    struct error first; /* what would be said of the first one */
    bool lacks_first;   /* no label is the first of the classes */
};

/* Local. As array_check_numbers, but counts those that are none. */
void array_count_gaps(const struct array_rows *rows, double mean, double std, float *least, float *most,
                      struct array_gaps *gaps);

/* Local. As array_floats of the first n elements, but NaN for each that is missing. */
void array_floats_or_nan(const struct array_rows *rows, size_t n, double mean, double std, float *to);

/* Local. Whether these numbers become finite floats, as array_floats makes them. *least, *most: their range, and that
 * of those before; NULL: nobody asks. ERROR_CORRUPT, or ERROR_USAGE if it is mean and std that are wrong, name the
 * place.
 */
bool array_check_numbers(const struct array_rows *rows, double mean, double std, float *least, float *most,
                         struct error *error) WARN_UNUSED;

#endif
