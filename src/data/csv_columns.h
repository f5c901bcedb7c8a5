/* The columns of a CSV file that a dataset uses, and what their values are. */
#ifndef DATA_CSV_COLUMNS_H
#define DATA_CSV_COLUMNS_H

#include "base/leaf.h"
#include "data/csv_settings.h"
#include "data/csv_table.h"
#include "data/csv_values.h"

struct csv_column {
    char *name;               /* owned */
    size_t place;             /* in the file */
    bool is_category;         /* else it holds numbers */
    struct csv_values values; /* of categories */
};

/* Letters: C columns of inputs, T of targets. */
struct csv_columns {
    struct csv_column *inputs; /* [input_count] */
    size_t input_count;        /* C, above 0 */
    struct csv_column *targets;
    size_t target_count; /* T, above 0; 1 if they are classes */
    bool has_classes;
    size_t classes; /* of them */
    size_t width;   /* numbers of a sample's inputs: 1 for a column of numbers, of categories one for each value */
};

/* What the columns are found by. */
struct csv_source {
    const struct csv_table *table;
    const struct csv_settings *settings;
    locale_t locale;
    const struct csv_columns *train; /* those of the training data, if they are of a CSV file; else NULL */
    const struct leaf_form *form;    /* of the training data; NULL: this is the training data */
};

/* Local. Finds them; what their values are is asked of the whole file, or of `train`, which have to be called the same.
 * Nothing stays after failure. */
bool csv_columns_find(struct csv_columns *columns, const struct csv_source *source, struct error *error) WARN_UNUSED;

/* Local. Accepts released ones. */
void csv_columns_release(struct csv_columns *columns);

/* Local. "PATH: line 7, column NAME holds 'FIELD': words" in an error of this kind. Returns false. */
bool csv_refuse(const struct csv_source *source, const struct csv_column *column, const struct csv_field *field,
                enum error_kind kind, struct error *error, const char *format, ...) FORMAT(6, 7);

#endif
