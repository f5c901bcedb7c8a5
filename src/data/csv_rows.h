/* The rows of a table as numbers: what its fields say, and what is said of those that say nothing.
 *
 * Letters: N rows that are used, C columns of inputs, T of targets. */
#ifndef DATA_CSV_ROWS_H
#define DATA_CSV_ROWS_H

#include "base/leaf.h"
#include "data/csv_columns.h"

#define CSV_ROWS_NONE (-1.0f) /* in place of the number of a category: none */

struct csv_rows {
    float *inputs;   /* [N, C] numbers, or of categories their numbers */
    int32_t *labels; /* [N]; NULL: it is a regression */
    float *targets;  /* [N, T]; NULL: they are classes */
};

/* Local. Rows [begin, begin + count) of the table into *rows, which is zeroed, and to be released in any case. Of the
 * form it sets least and most, which begin as the widest that is none, or the hint. ERROR_CORRUPT, ERROR_USAGE: a field
 * that cannot be; the words have its line and column. */
bool csv_rows_take(const struct csv_columns *columns, const struct csv_source *source, size_t begin, size_t count,
                   struct csv_rows *rows, struct leaf_form *form, struct error *error) WARN_UNUSED;
void csv_rows_release(struct csv_rows *rows);

#endif
