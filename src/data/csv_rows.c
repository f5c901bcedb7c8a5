#include "data/csv_rows.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/plural.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rows of a class. */
struct seen {
    size_t count, line; /* of the first one */
};

struct reading {
    const struct csv_columns *columns;
    const struct csv_source *source;
    struct csv_rows *rows;
    struct leaf_form *form;
    struct error *error;
    size_t unknown_rows; /* that hold values which the training data have not */
    bool is_unknown;     /* the row that is being taken is one */
    const struct csv_column *unknown_column;
    struct csv_field unknown; /* the first such value */
    struct seen *seen;        /* [classes] */
};

static bool refuse_number(struct reading *reading, const struct csv_column *column, const struct csv_field *field,
                          enum csv_number number, bool is_input)
{
    if (number == CSV_MISSING)
        return csv_refuse(reading->source, column, field, ERROR_CORRUPT, reading->error,
                          csv_is_of_inputs(reading->source)
                              ? ": a value is missing; --set data.train.missing=NUMBER puts a number in its place"
                          : is_input ? ": a value is missing; missing: NUMBER puts a number in its place"
                                     : ": a target is missing; leave the row out of the file");
    if (number == CSV_BEYOND)
        return csv_refuse(reading->source, column, field, ERROR_CORRUPT, reading->error,
                          ", which is not finite, or beyond a float");
    if (memchr(field->bytes, ',', field->length) && field->length < 64)
        return csv_refuse(reading->source, column, field, ERROR_CORRUPT, reading->error,
                          ", which is no number: numbers have a point, and nothing between thousands");
    return csv_refuse(reading->source, column, field, ERROR_CORRUPT, reading->error, ", which is no number%s",
                      csv_is_of_inputs(reading->source) ? ": repair it"
                      : is_input                        ? ": repair it, or name the column in categories: [...]"
                                                        : "");
}

#define IS_UNKNOWN ", which is no value of this column in the training data"

/* The value is none of its column's, so far. */
static void note_unknown(struct reading *reading, const struct csv_column *column, const struct csv_field *field)
{
    if (!reading->unknown_column) {
        reading->unknown_column = column;
        reading->unknown = *field;
    }
    reading->is_unknown = true;
}

/* Once all rows are taken. */
static bool judge_unknown(struct reading *reading)
{
    const char *path = reading->source->settings->path;
    size_t n = reading->unknown_rows;
    if (n == 0)
        return true;
    if (reading->source->settings->unknown == CSV_UNKNOWN_NONE) {
        log_warn("%s: %zu row%s a category that the training data have not, taken for none", path, n,
                 n == 1 ? " has" : "s have");
        return true;
    }
    return csv_refuse(reading->source, reading->unknown_column, &reading->unknown, ERROR_USAGE, reading->error,
                      IS_UNKNOWN " (%zu row%s such a value): correct it, or have it taken for none: %s", n,
                      n == 1 ? " has" : "s have",
                      csv_is_of_inputs(reading->source) ? "--unknown none" : "unknown: none");
}

static bool take_input(struct reading *reading, const struct csv_column *column, const struct csv_field *field,
                       float *input)
{
    double missing = reading->source->settings->missing, value = 0;
    if (column->about.is_category) {
        size_t place = 0;
        *input = CSV_ROWS_NONE;
        if (field->length == 0)
            return missing != CSV_NONE || refuse_number(reading, column, field, CSV_MISSING, true);
        if (csv_columns_category(column, field, &place))
            *input = (float)place;
        else
            note_unknown(reading, column, field);
        return true;
    }
    enum csv_number number = csv_field_number(field, reading->source->locale, &value);
    if (number == CSV_MISSING && missing != CSV_NONE)
        value = missing;
    else if (number != CSV_WHOLE && number != CSV_REAL)
        return refuse_number(reading, column, field, number, true);
    *input = (float)value;
    return true;
}

static bool take_label(struct reading *reading, const struct csv_field *field, int32_t *label)
{
    const struct csv_columns *columns = reading->columns;
    const struct csv_column *column = &columns->targets[0];
    double value = 0, offset = (double)reading->source->settings->label_offset;
    size_t place = 0;
    if (column->about.is_category) {
        if (field->length == 0)
            return refuse_number(reading, column, field, CSV_MISSING, false);
        if (!csv_columns_category(column, field, &place))
            return csv_refuse(reading->source, column, field, ERROR_USAGE, reading->error, IS_UNKNOWN);
        *label = (int32_t)place;
        return true;
    }
    enum csv_number number = csv_field_number(field, reading->source->locale, &value);
    if (number != CSV_WHOLE && number != CSV_REAL)
        return refuse_number(reading, column, field, number, false);
    value -= offset;
    if (value != floor(value) || value < 0)
        return csv_refuse(reading->source, column, field, ERROR_USAGE, reading->error,
                          ": labels are whole numbers from %.0f on; of a quantity: task: regression", offset);
    if (value >= (double)columns->classes)
        return csv_refuse(
            reading->source, column, field, ERROR_USAGE, reading->error,
            ", but there are only %zu classes, %.0f to %.0f; of a quantity: task: regression, of the training data",
            columns->classes, offset, offset + (double)columns->classes - 1);
    *label = (int32_t)value;
    return true;
}

static bool take_target(struct reading *reading, const struct csv_column *column, const struct csv_field *field,
                        float *target)
{
    struct leaf_form *form = reading->form;
    double value = 0;
    enum csv_number number = csv_field_number(field, reading->source->locale, &value);
    if (number != CSV_WHOLE && number != CSV_REAL)
        return refuse_number(reading, column, field, number, false);
    *target = (float)value;
    form->least = *target < form->least ? *target : form->least;
    form->most = *target > form->most ? *target : form->most;
    return true;
}

static bool take_row(struct reading *reading, const struct csv_field *fields, size_t row)
{
    const struct csv_rows *rows = reading->rows;
    const struct csv_columns *columns = reading->columns;
    reading->is_unknown = false;
    for (size_t c = 0; c < columns->input_count; c++) {
        const struct csv_column *column = &columns->inputs[c];
        if (!take_input(reading, column, &fields[column->place], &rows->inputs[row * columns->input_count + c]))
            return false;
    }
    reading->unknown_rows += reading->is_unknown;
    if (columns->has_classes) {
        const struct csv_field *field = &fields[columns->targets[0].place];
        if (!take_label(reading, field, &rows->labels[row]))
            return false;
        struct seen *seen = &reading->seen[rows->labels[row]];
        if (seen->count++ == 0)
            seen->line = field->line;
        return true;
    }
    for (size_t t = 0; t < columns->target_count; t++) {
        const struct csv_column *column = &columns->targets[t];
        if (!take_target(reading, column, &fields[column->place], &rows->targets[row * columns->target_count + t]))
            return false;
    }
    return true;
}

/* Of names the rarest, of numbers the largest: of them the one that may be none. */
static void note_class(const struct reading *reading, char hint[LEAF_HINT])
{
    const struct csv_columns *columns = reading->columns;
    const struct csv_column *target = &columns->targets[0];
    const struct seen *seen = reading->seen;
    size_t last = columns->classes - 1, rarest = last;
    char name[40], value[40];
    for (size_t c = 0; c < columns->classes && target->about.is_category; c++)
        if (seen[c].count > 0 && (seen[rarest].count == 0 || seen[c].count < seen[rarest].count))
            rarest = c;
    if (seen[rarest].count == 0)
        return;
    option_show(target->about.name, name, sizeof name);
    if (target->about.is_category)
        option_show(target->about.values.names[rarest], value, sizeof value);
    if (target->about.is_category)
        snprintf(hint, LEAF_HINT, "the rarest, '%s', comes %zu time%s, first in line %zu, column %s", value,
                 seen[rarest].count, plural(seen[rarest].count), seen[rarest].line, name);
    else
        snprintf(hint, LEAF_HINT, "label %" PRIu64 " is first in line %zu, column %s",
                 last + reading->source->settings->label_offset, seen[last].line, name);
}

static bool take_rows(struct reading *reading, size_t begin, size_t count)
{
    struct csv_rows *rows = reading->rows;
    const struct csv_columns *columns = reading->columns;
    rows->inputs = memory_alloc(count * columns->input_count, sizeof *rows->inputs, "a table", reading->error);
    if (columns->has_classes)
        rows->labels = memory_alloc(count, sizeof *rows->labels, "the labels of a table", reading->error);
    else
        rows->targets = memory_alloc(count * columns->target_count, sizeof *rows->targets, "the targets of a table",
                                     reading->error);
    if (!rows->inputs || (!rows->labels && !rows->targets))
        return false;
    struct csv_scan scan = csv_table_begin(reading->source->table);
    for (size_t row = 0; row < begin; row++)
        csv_table_row(reading->source->table, &scan);
    for (size_t row = 0; row < count; row++)
        if (!take_row(reading, csv_table_row(reading->source->table, &scan), row))
            return false;
    return judge_unknown(reading);
}

bool csv_rows_take(const struct csv_columns *columns, const struct csv_source *source, size_t begin, size_t count,
                   struct csv_rows *rows, struct leaf_form *form, struct error *error)
{
    struct reading reading = {.columns = columns, .source = source, .rows = rows, .form = form, .error = error};
    if (columns->has_classes)
        reading.seen = memory_need(columns->classes, sizeof *reading.seen);
    bool ok = take_rows(&reading, begin, count);
    if (ok && columns->has_classes)
        note_class(&reading, form->hint);
    memory_free(reading.seen);
    return ok;
}

void csv_rows_release(struct csv_rows *rows)
{
    memory_free(rows->inputs);
    memory_free(rows->labels);
    memory_free(rows->targets);
}
