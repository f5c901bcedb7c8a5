/* The values of a column of categories, numbered in the order of their bytes. */
#ifndef DATA_CSV_VALUES_H
#define DATA_CSV_VALUES_H

#include "data/csv_scan.h"

#include <stdbool.h>
#include <stddef.h>

#define CSV_VALUES_MOST 10000 /* different ones of a column: more are no categories */

struct csv_values {
    char **values; /* [count] sorted; owned */
    size_t count;
    size_t capacity; /* private */
};

/* Local. The number of a field's value; false: it is none of them. */
bool csv_values_find(const struct csv_values *values, const struct csv_field *field, size_t *number);

/* Local. Adds a field's value, if it is new; false, and nothing is added, if there would be too many. Numbers that were
 * found before may change. */
bool csv_values_add(struct csv_values *values, const struct csv_field *field);

/* Local. A copy of its own. Release accepts a released one. */
void csv_values_copy(struct csv_values *values, const struct csv_values *from);
void csv_values_release(struct csv_values *values);

#endif
