/* The columns of a CSV file that a dataset uses, and what their values are. */
#ifndef DATA_CSV_COLUMNS_H
#define DATA_CSV_COLUMNS_H

#include "data/csv_settings.h"
#include "data/csv_table.h"
#include "data/description.h"

struct csv_column {
    struct column about;
    size_t place; /* in the file */
};

/* Letters: C columns of inputs, T of targets. */
struct csv_columns {
    struct csv_column *inputs; /* [input_count] */
    size_t input_count;        /* C, above 0 */
    struct csv_column *targets;
    size_t target_count; /* T; 1 if they are classes; 0: the inputs alone are wanted */
    bool has_classes;
    size_t classes; /* of them */
    size_t width;   /* numbers of a sample's inputs: 1 for a column of numbers, of categories one for each value */
};

/* What the columns are found by. */
struct csv_source {
    const struct csv_table *table;
    const struct csv_settings *settings;
    locale_t locale;
    const struct description *train; /* the training data; NULL: this is it */
};

/* Local. Whether it holds the inputs alone, and its settings are those of the training data. */
static inline bool csv_is_of_inputs(const struct csv_source *source)
{
    return source->settings->target_count == 0;
}

/* Local. Finds them; what their values are is asked of the whole file, or of `train`, if its columns have names: they
 * have to be the same. Nothing stays after failure. */
bool csv_columns_find(struct csv_columns *columns, const struct csv_source *source, struct error *error) WARN_UNUSED;

/* Local. Accepts released ones. */
void csv_columns_release(struct csv_columns *columns);

/* Local. The number of a field's value among those of its column; false: it is none of them. */
bool csv_columns_category(const struct csv_column *column, const struct csv_field *field, size_t *number);

/* Local. "PATH: line 7, column NAME holds 'FIELD': words" in an error of this kind. Returns false. */
bool csv_refuse(const struct csv_source *source, const struct csv_column *column, const struct csv_field *field,
                enum error_kind kind, struct error *error, const char *format, ...) FORMAT(6, 7);

#endif
