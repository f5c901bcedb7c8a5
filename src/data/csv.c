/* A table in a CSV file: each row is a sample. It is read once, into memory.
 *
 * Letters: N rows that are used, C columns of inputs, T of targets. A column of categories is kept as the number of
 * each row's value, and becomes one 1 among zeros when it is read: else a file could grow a thousandfold in memory. */
#include "base/plural.h"
#include "data/csv_settings.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rows.h"
#include "data/content.h"
#include "data/csv_columns.h"
#include "data/formats.h"
#include "data/part.h"
#include "data/row_stream.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_VALUE (-1.0f) /* in place of the number of a category */

static const char *const tasks[] = {
    NULL, [CSV_AUTO] = "auto", [CSV_CLASSES] = "classes", [CSV_REGRESSION] = "regression", NULL};

static const char *const unknowns[] = {NULL, [CSV_UNKNOWN_ERROR] = "error", [CSV_UNKNOWN_NONE] = "none", NULL};

/* What only says how the table is written may change: the digest of the content is compared when it is opened. */
static const struct option_row rows[] = {
    {"path", "path of the file, a table in UTF-8, plain or gzip", FIELD(struct csv_settings, path), .path = PATH_READ,
     .resume = RESUME_FREE},
    {"targets", "names of the columns that are to be predicted", TEXTS(struct csv_settings, targets, target_count)},
    {"inputs",
     "names of the columns that are known; without it all that are no targets, in the order of the file, of validation "
     "data those of the training data",
     TEXTS(struct csv_settings, inputs, input_count), .optional = true},
    {"categories",
     "names of the columns whose values are names: of an input each value becomes a number of its own, 1 where it is "
     "and else 0; a target's values are classes; in the order of their bytes",
     TEXTS(struct csv_settings, categories, category_count), .optional = true},
    {"header", "whether the first line holds the names of the columns; else they are called by their numbers, from 1",
     FIELD(struct csv_settings, header), DEFAULT("true"), .resume = RESUME_FREE},
    {"separator", "the character between two fields; \\t for a tab", FIELD(struct csv_settings, separator),
     DEFAULT(","), .resume = RESUME_FREE},
    {"missing",
     "the number that an input gets where its field is empty, NA, N/A, NaN or null, where an empty category is none; "
     "without it such a field is an error",
     FIELD(struct csv_settings, missing), REAL(-FLT_MAX, FLT_MAX), .optional = true, .absent = CSV_NONE},
    {"unknown",
     "what becomes of an input that is no value of its column of categories in the training data: an error, or none of "
     "them, all zeros, with a warning that counts such rows",
     FIELD(struct csv_settings, unknown), .choices = unknowns, DEFAULT("error"), .resume = RESUME_FREE},
    {"task",
     "what is predicted; auto: classes, if there is one target, and it holds whole numbers, written without a point, "
     "or names",
     FIELD(struct csv_settings, task), .choices = tasks, DEFAULT("auto")},
    {"classes", "how many classes whole numbers mean; 0 for 1 + the largest in the file",
     FIELD(struct csv_settings, classes), WHOLE(0, 1000000), DEFAULT("0")},
    {"label_offset", "what is subtracted from each label, where they do not begin at 0",
     FIELD(struct csv_settings, label_offset), WHOLE(0, 1000000000), DEFAULT("0")},
    {"part", "where in the file the rows that are used begin and end, as shares of it",
     FIELD(struct csv_settings, part), REAL(0, 1), DEFAULT("0", "1")},
    {"first", "the first row of them that is used, counted from 0", FIELD(struct csv_settings, first), ANY_FROM(0),
     DEFAULT("0")},
    {"count", "how many rows are used; 0 for all that are there", FIELD(struct csv_settings, count), ANY_FROM(0),
     DEFAULT("0")},
    {0},
};

struct csv {
    struct csv_columns columns;
    float *inputs;   /* [N, C] numbers, or of categories their numbers */
    int32_t *labels; /* [N]; NULL: it is a regression */
    float *targets;  /* [N, T]; NULL: they are classes */
    struct watched watched;
};

static bool check(const void *given, const char **key, struct error *error)
{
    const struct csv_settings *settings = given;
    *key = "targets";
    if (settings->target_count == 0)
        return error_set(error, ERROR_USAGE, "the list is empty; at least one column is to be predicted");
    *key = "separator";
    if (!csv_separator(settings->separator)) {
        char shown[32];
        option_show(settings->separator, shown, sizeof shown);
        return error_set(error, ERROR_USAGE,
                         "'%s' cannot be one: a single character is needed that is in no number, name or quote, as , ; "
                         "| or \\t for a tab",
                         shown);
    }
    *key = "part";
    return part_check(settings->part, error);
}

static void csv_close(struct dataset *dataset)
{
    struct csv *csv = dataset->self;
    csv_columns_release(&csv->columns);
    watched_release(&csv->watched);
    memory_free(csv->inputs);
    memory_free(csv->labels);
    memory_free(csv->targets);
    memory_free(csv);
}

/* The rows [begin, begin + count) of the file that the settings want. */
static bool choose(const struct csv_settings *settings, size_t there, size_t *begin, size_t *count, struct error *error)
{
    if (!part_is_possible(settings->part, error))
        return false;
    size_t from, end;
    part_place(settings->part, there, &from, &end);
    size_t rest = end - from;
    if (rest == 0)
        return error_set(error, ERROR_USAGE, "part [%g, %g] of the %zu rows of %s is none: choose a larger one",
                         settings->part[0], settings->part[1], there, settings->path);
    if (settings->first >= rest)
        return error_set(error, ERROR_USAGE, "first is %" PRIu64 ", but %s holds only %zu row%s%s", settings->first,
                         settings->path, rest, plural(rest), rest < there ? " in this part" : "");
    rest -= (size_t)settings->first;
    if (settings->count > rest)
        return error_set(error, ERROR_USAGE,
                         "count is %" PRIu64 ", but from row %" PRIu64 " on (counted from 0) %s holds only %zu",
                         settings->count, settings->first, settings->path, rest);
    *begin = from + (size_t)settings->first;
    *count = settings->count ? (size_t)settings->count : rest;
    return true;
}

/* ---- from fields to numbers ---- */

/* Rows of a class. */
struct seen {
    size_t count, line; /* of the first one */
};

struct reading {
    struct csv *csv;
    struct dataset *dataset;
    const struct csv_source *source;
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
        *input = NO_VALUE;
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
    const struct csv_columns *columns = &reading->csv->columns;
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
    struct leaf_form *form = &reading->dataset->about.form;
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
    const struct csv *csv = reading->csv;
    const struct csv_columns *columns = &csv->columns;
    reading->is_unknown = false;
    for (size_t c = 0; c < columns->input_count; c++) {
        const struct csv_column *column = &columns->inputs[c];
        if (!take_input(reading, column, &fields[column->place], &csv->inputs[row * columns->input_count + c]))
            return false;
    }
    reading->unknown_rows += reading->is_unknown;
    if (columns->has_classes) {
        const struct csv_field *field = &fields[columns->targets[0].place];
        if (!take_label(reading, field, &csv->labels[row]))
            return false;
        struct seen *seen = &reading->seen[csv->labels[row]];
        if (seen->count++ == 0)
            seen->line = field->line;
        return true;
    }
    for (size_t t = 0; t < columns->target_count; t++) {
        const struct csv_column *column = &columns->targets[t];
        if (!take_target(reading, column, &fields[column->place], &csv->targets[row * columns->target_count + t]))
            return false;
    }
    return true;
}

/* Of names the rarest, of numbers the largest: of them the one that may be none. */
static void note_class(const struct reading *reading, char hint[LEAF_HINT])
{
    const struct csv_columns *columns = &reading->csv->columns;
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
    struct csv *csv = reading->csv;
    const struct csv_columns *columns = &csv->columns;
    csv->inputs = memory_alloc(count * columns->input_count, sizeof *csv->inputs, "a table", reading->error);
    if (columns->has_classes)
        csv->labels = memory_alloc(count, sizeof *csv->labels, "the labels of a table", reading->error);
    else
        csv->targets = memory_alloc(count * columns->target_count, sizeof *csv->targets, "the targets of a table",
                                    reading->error);
    if (!csv->inputs || (!csv->labels && !csv->targets))
        return false;
    struct csv_scan scan = csv_table_begin(reading->source->table);
    for (size_t row = 0; row < begin; row++)
        csv_table_row(reading->source->table, &scan);
    for (size_t row = 0; row < count; row++)
        if (!take_row(reading, csv_table_row(reading->source->table, &scan), row))
            return false;
    return judge_unknown(reading);
}

/* ---- as a dataset ---- */

static uint64_t digest_columns(uint64_t digest, const struct csv_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct csv_column *column = &columns[i];
        digest = digest_chain(digest, digest_bytes(column->about.name, strlen(column->about.name)));
        digest = digest_chain(digest, column->about.values.count);
        for (size_t v = 0; v < column->about.values.count; v++)
            digest = digest_chain(digest,
                                  digest_bytes(column->about.values.names[v], strlen(column->about.values.names[v])));
    }
    return digest_chain(digest, count);
}

static uint64_t digest(const struct csv *csv, size_t count)
{
    const struct csv_columns *columns = &csv->columns;
    uint64_t inputs = digest_bytes(csv->inputs, count * columns->input_count * sizeof *csv->inputs);
    uint64_t targets = csv->labels ? digest_bytes(csv->labels, count * sizeof *csv->labels)
                                   : digest_bytes(csv->targets, count * columns->target_count * sizeof *csv->targets);
    uint64_t names = digest_columns(digest_columns(columns->has_classes, columns->inputs, columns->input_count),
                                    columns->targets, columns->target_count);
    return digest_chain(digest_chain(inputs, targets), names);
}

/* Letters: n columns. The caller owns what comes back, but not what is in it. */
static struct column *list(const struct csv_column *columns, size_t n)
{
    struct column *list = memory_need(n, sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = columns[i].about;
    return list;
}

static void describe(const struct csv_columns *columns, struct description *about)
{
    struct column *inputs = list(columns->inputs, columns->input_count);
    struct column *targets = list(columns->targets, columns->target_count);
    description_name(about, inputs, columns->input_count, targets, columns->target_count);
    memory_free(inputs);
    memory_free(targets);
}

static bool read_table(struct reading *reading)
{
    struct csv *csv = reading->csv;
    struct csv_columns *columns = &csv->columns;
    struct dataset *dataset = reading->dataset;
    const struct csv_table *table = reading->source->table;
    size_t begin = 0;
    if (!csv_columns_find(columns, reading->source, reading->error) ||
        !choose(reading->source->settings, table->rows, &begin, &dataset->count, reading->error))
        return false;
    dataset->about.label_offset = reading->source->settings->label_offset;
    dataset->about.form = (struct leaf_form){.input = {1, {columns->width}},
                                             .classes = columns->has_classes ? columns->classes : 0,
                                             .terms = columns->target_count};
    if (!columns->has_classes) {
        dataset->about.form.least = INFINITY;
        dataset->about.form.most = -INFINITY;
    }
    if (columns->has_classes)
        reading->seen = memory_need(columns->classes, sizeof *reading->seen);
    bool ok = take_rows(reading, begin, dataset->count);
    if (ok && columns->has_classes)
        note_class(reading, dataset->about.form.hint);
    memory_free(reading->seen);
    if (!ok)
        return false;
    describe(columns, &dataset->about);
    dataset->digest = digest(csv, dataset->count);
    dataset->sample_bytes = table->bytes / table->rows + 1;
    dataset->files = csv->watched.path ? &csv->watched : NULL;
    return true;
}

/* Opens the table that the samples come from. */
typedef bool open_rows(struct csv_table *table, void *context, const struct csv_settings *settings,
                       struct error *error);

static bool open_table(struct dataset *dataset, const struct csv_settings *settings, open_rows *open, void *context,
                       const struct description *train, struct error *error)
{
    struct csv_table table;
    struct csv_source source = {
        .table = &table, .settings = settings, .locale = newlocale(LC_ALL_MASK, "C", NULL), .train = train};
    struct reading reading = {.csv = dataset->self, .dataset = dataset, .source = &source, .error = error};
    bool ok = source.locale || error_errno(error, "cannot have the locale C");
    ok = ok && open(&table, context, settings, error);
    if (ok) {
        ok = read_table(&reading);
        csv_table_close(&table);
    }
    if (source.locale)
        freelocale(source.locale);
    if (!ok)
        csv_close(dataset);
    return ok;
}

static struct csv_form form_of(const struct csv_settings *settings)
{
    bool are_of_training = settings->target_count == 0;
    return (struct csv_form){csv_separator(settings->separator), settings->header,
                             are_of_training ? "--set data.train." : ""};
}

static bool open_file(struct csv_table *table, void *context, const struct csv_settings *settings, struct error *error)
{
    struct dataset *dataset = context;
    struct csv *csv = dataset->self;
    const struct csv_form form = form_of(settings);
    return csv_table_open(table, &csv->watched, dataset_inflated(dataset), settings->path, &form, error);
}

static bool open_settings(struct dataset *dataset, const struct csv_settings *settings, const struct description *train,
                          struct error *error)
{
    dataset->self = memory_need(1, sizeof(struct csv));
    return open_table(dataset, settings, open_file, dataset, train, error);
}

static bool csv_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct csv_settings *settings = given;
    const char *key;
    if (!settings->path || !*settings->path)
        return error_set(error, ERROR_USAGE, "a dataset of format csv needs the path of its file");
    if (!check(settings, &key, error))
        return error_prefix(error, "%s: ", key);
    return open_settings(dataset, settings, train, error);
}

/* Those of a table without targets, written as that of the training data, if they are of this format. */
static struct csv_settings settings_of_inputs(const char *path, const void *like)
{
    static char comma[] = ",";
    struct csv_settings settings = {
        .header = true, .separator = comma, .missing = CSV_NONE, .unknown = CSV_UNKNOWN_ERROR};
    if (like)
        settings = *(const struct csv_settings *)like;
    settings.path = (char *)(uintptr_t)path;
    settings.target_count = settings.input_count = settings.category_count = 0;
    settings.task = CSV_AUTO;
    settings.classes = settings.label_offset = settings.first = settings.count = 0;
    settings.part[0] = 0;
    settings.part[1] = 1;
    return settings;
}

static bool csv_open_inputs(struct dataset *dataset, const char *path, const void *like,
                            const struct description *train, struct error *error)
{
    const struct csv_settings settings = settings_of_inputs(path, like);
    return open_settings(dataset, &settings, train, error);
}

/* Rows that a stream has given. */
struct given {
    char *text;
    size_t bytes, line;
};

static bool open_given(struct csv_table *table, void *context, const struct csv_settings *settings, struct error *error)
{
    struct given *given = context;
    char *text = given->text;
    const struct csv_form form = form_of(settings);
    given->text = NULL;
    return csv_table_take(table, text, given->bytes, given->line, settings->path, &form, error);
}

static bool csv_open_rows(struct dataset *dataset, struct row_stream *stream, const void *like,
                          const struct description *train, struct error *error)
{
    const struct csv_settings settings = settings_of_inputs("standard input", like);
    const struct row_form form = {csv_separator(settings.separator), settings.header};
    struct given given;
    if (!row_stream_next(stream, &form, &given.text, &given.bytes, &given.line, error))
        return false;
    if (!given.text)
        return true;
    dataset->self = memory_need(1, sizeof(struct csv));
    bool ok = open_table(dataset, &settings, open_given, &given, train, error);
    free(given.text);
    return ok;
}

static bool csv_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    (void)error;
    const struct csv *csv = dataset->self;
    const struct csv_columns *columns = &csv->columns;
    const float *from = csv->inputs + index * columns->input_count;
    float *input = leaf->inputs + row * columns->width;
    for (size_t c = 0; c < columns->input_count; c++) {
        const struct csv_column *column = &columns->inputs[c];
        if (!column->about.is_category) {
            *input++ = from[c];
            continue;
        }
        for (size_t v = 0; v < column->about.values.count; v++)
            *input++ = (float)v == from[c] ? 1.0f : 0.0f;
    }
    size_t terms = columns->target_count;
    if (csv->labels)
        leaf->labels[row] = csv->labels[index];
    else if (terms > 0)
        memcpy(leaf->targets + row * terms, csv->targets + index * terms, terms * sizeof *leaf->targets);
    return true;
}

static const char *csv_source(const void *given, bool targets)
{
    const struct csv_settings *settings = given;
    (void)targets;
    return settings->path;
}

static enum recognition csv_knows(const uint8_t *bytes, size_t count)
{
    return content_is_text(bytes, count) ? FORMAT_MAYBE : FORMAT_NO;
}

static const char *const endings[] = {".csv", ".tsv", NULL};

const struct dataset_class dataset_csv = {
    KIND_OF("csv", "a table in a CSV file, plain or gzip, whose rows are samples", struct csv_settings, rows),
    .kind.check = check,
    .open = csv_open,
    .knows = csv_knows,
    .survey = survey_csv,
    .endings = endings,
    .open_inputs = csv_open_inputs,
    .open_rows = csv_open_rows,
    .close = csv_close,
    .read = csv_read,
    .source = csv_source,
    .as_labels = "task: classes takes them as labels",
};
