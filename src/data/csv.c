/* A table in a CSV file: each row is a sample. It is read once, into memory.
 *
 * Letters: N rows that are used, C columns of inputs, T of targets. A column of categories is kept as the number of
 * each row's value, and becomes one 1 among zeros when it is read: else a file could grow a thousandfold in memory. */
#include "data/csv_settings.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/rows.h"
#include "data/content.h"
#include "data/csv_columns.h"
#include "data/csv_rows.h"
#include "data/formats.h"
#include "data/part.h"
#include "data/row_stream.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    struct csv_rows rows;
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
    csv_rows_release(&csv->rows);
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
    uint64_t inputs = digest_bytes(csv->rows.inputs, count * columns->input_count * sizeof *csv->rows.inputs);
    uint64_t targets = csv->rows.labels
                           ? digest_bytes(csv->rows.labels, count * sizeof *csv->rows.labels)
                           : digest_bytes(csv->rows.targets, count * columns->target_count * sizeof *csv->rows.targets);
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

static bool read_table(struct dataset *dataset, const struct csv_source *source, struct error *error)
{
    struct csv *csv = dataset->self;
    struct csv_columns *columns = &csv->columns;
    const struct csv_table *table = source->table;
    size_t begin = 0;
    if (!csv_columns_find(columns, source, error) ||
        !choose(source->settings, table->rows, &begin, &dataset->count, error))
        return false;
    dataset->about.label_offset = source->settings->label_offset;
    dataset->about.form = (struct leaf_form){.input = {1, {columns->width}},
                                             .classes = columns->has_classes ? columns->classes : 0,
                                             .terms = columns->target_count};
    if (!columns->has_classes) {
        dataset->about.form.least = INFINITY;
        dataset->about.form.most = -INFINITY;
    }
    if (!csv_rows_take(columns, source, begin, dataset->count, &csv->rows, &dataset->about.form, error))
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
    bool ok = source.locale || error_errno(error, "cannot have the locale C");
    ok = ok && open(&table, context, settings, error);
    if (ok) {
        ok = read_table(dataset, &source, error);
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
    const float *from = csv->rows.inputs + index * columns->input_count;
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
    if (csv->rows.labels)
        leaf->labels[row] = csv->rows.labels[index];
    else if (terms > 0)
        memcpy(leaf->targets + row * terms, csv->rows.targets + index * terms, terms * sizeof *leaf->targets);
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
