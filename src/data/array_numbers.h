/* Whether numbers of an array can be used: each is there, and becomes a finite float. */
#ifndef DATA_ARRAY_NUMBERS_H
#define DATA_ARRAY_NUMBERS_H

#include "data/array.h"

/* Local. The first that is not finite; n: all are. */
size_t array_find_infinite(const float *values, size_t n);

/* Local. Whether no number of these rows is the fill value. ERROR_CORRUPT names the place. */
bool array_check_missing(const struct array_rows *rows, struct error *error) WARN_UNUSED;

/* Local. Whether these numbers become finite floats, as array_floats makes them. *least, *most: their range, and that
 * of those before; NULL: nobody asks. ERROR_CORRUPT, or ERROR_USAGE if it is mean and std that are wrong, name the
 * place.
 */
bool array_check_numbers(const struct array_rows *rows, double mean, double std, float *least, float *most,
                         struct error *error) WARN_UNUSED;

#endif
