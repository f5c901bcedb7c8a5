#include "data/csv_table.h"

#include "base/check.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "data/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_WANTED "put one with the names of the columns in front of it"
#define NAMES_SHOWN  20 /* of columns, in a message */

void csv_table_close(struct csv_table *table)
{
    for (size_t i = 0; table->names && i < table->columns; i++)
        memory_free(table->names[i]);
    memory_free(table->names);
    memory_free(table->by_name);
    memory_free(table->fields);
    whole_close(&table->file);
    free(table->input);
    memset(table, 0, sizeof *table);
}

/* What people take for CSV; the rest is what every format knows. */
static const struct content_magic strangers[] = {
    {"PK\x03\x04", 4,
     "a ZIP archive, as spreadsheets (.xlsx, .ods) are: save the table as CSV; if numpy.savez made it: format: "
     "npz"},
    {"PAR1", 4, "a Parquet file: save the table as CSV"},
    {"\xff\xfe", 2, "UTF-16: save the table as CSV in UTF-8"},
    {"\xfe\xff", 2, "UTF-16: save the table as CSV in UTF-8"},
    {0},
};

static bool check_text(const struct csv_table *table, struct error *error)
{
    if (table->bytes == 0)
        return error_set(error, ERROR_CORRUPT, "%s is empty", table->path);
    const uint8_t *bytes = (const uint8_t *)table->text;
    const char *known = content_find(strangers, bytes, table->bytes);
    known = known ? known : content_kind(bytes, table->bytes);
    if (known)
        return error_set(error, ERROR_CORRUPT, "%s is %s", table->path, known);
    const char *nul = memchr(table->text, 0, table->bytes);
    if (!nul)
        return true;
    known = content_seems(table->path, bytes, table->bytes);
    return error_set(error, ERROR_CORRUPT, "%s is not a CSV file: there is a NUL byte at offset %zu%s%s", table->path,
                     (size_t)(nul - table->text), known ? "; it is " : "", known ? known : "");
}

static bool load(struct csv_table *table, struct watched *watched, const struct inflated_table *inflated,
                 struct error *error)
{
    bool ok = whole_open(&table->file, table->path, "a CSV file", watched, inflated, error);
    table->bytes = table->file.count;
    table->text = table->file.bytes;
    return ok && check_text(table, error);
}

#define COLUMNS_MOST 100000 /* each costs memory, whatever stands in it */

/* Counts the columns in the first row. */
static bool count_columns(struct csv_table *table, struct error *error)
{
    struct csv_scan scan = table->body;
    struct csv_field field;
    bool last = false;
    for (; !last; table->columns++) {
        if (table->columns == COLUMNS_MOST)
            return error_set(error, ERROR_CORRUPT, "%s has more than %d columns: is its separator another one?",
                             table->path, COLUMNS_MOST);
        if (!csv_scan_field(&scan, &field, &last, error))
            return false;
    }
    table->names = memory_alloc(table->columns, sizeof *table->names, "the columns of a table", error);
    table->by_name = memory_alloc(table->columns, sizeof *table->by_name, "the columns of a table", error);
    table->fields = memory_alloc(table->columns, sizeof *table->fields, "the columns of a table", error);
    return table->names && table->by_name && table->fields;
}

static int compare_names(const void *a, const void *b, void *names)
{
    char *const *name = names;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int order = strcmp(name[i], name[j]);
    return order ? order : (i > j) - (i < j);
}

static bool take_names(struct csv_table *table, struct error *error)
{
    struct csv_field field;
    bool last;
    char number[24], shown[64];
    for (size_t i = 0; i < table->columns; i++) {
        if (table->form.has_header && !csv_scan_field(&table->body, &field, &last, error))
            return false;
        snprintf(number, sizeof number, "%zu", i + 1);
        table->names[i] = table->form.has_header ? csv_field_text(&field) : memory_text(number);
        table->by_name[i] = i;
    }
    qsort_r(table->by_name, table->columns, sizeof *table->by_name, compare_names, table->names);
    for (size_t i = 1; i < table->columns; i++) {
        size_t before = table->by_name[i - 1], here = table->by_name[i];
        if (!*table->names[here] || strcmp(table->names[before], table->names[here]))
            continue;
        option_show(table->names[here], shown, sizeof shown);
        return error_set(error, ERROR_CORRUPT, "%s: columns %zu and %zu are both called %s: rename one of them",
                         table->path, before + 1, here + 1, shown);
    }
    return true;
}

/* How many fields the next row has; those of the first `columns` are taken. */
static bool read_row(const struct csv_table *table, struct csv_scan *scan, size_t *count, struct error *error)
{
    bool last = false;
    for (*count = 0; !last; ++*count) {
        struct csv_field field;
        if (!csv_scan_field(scan, &field, &last, error))
            return false;
        if (*count < table->columns)
            table->fields[*count] = field;
    }
    return true;
}

static bool count_rows(struct csv_table *table, struct error *error)
{
    size_t count;
    for (struct csv_scan scan = table->body; !csv_scan_done(&scan); table->rows++) {
        size_t line = scan.line;
        if (!read_row(table, &scan, &count, error))
            return false;
        if (count != table->columns)
            return error_set(error, ERROR_CORRUPT, "%s: line %zu has %zu field%s, but the first line %zu%s%s%s",
                             table->path, line, count, count == 1 ? "" : "s", table->columns,
                             table->columns == 1 ? ": is the separator another one? (" : "",
                             table->columns == 1 ? table->form.keys : "", table->columns == 1 ? "separator)" : "");
    }
    return table->rows > 0 ||
           error_set(error, ERROR_CORRUPT, "%s holds a header, but no rows; if its only line is data: %s", table->path,
                     *table->form.keys ? NAMES_WANTED : "header: false");
}

/* What is in the text; its rows begin on this line, 0: where they do. */
static bool parse(struct csv_table *table, size_t line, struct error *error)
{
    csv_scan_init(&table->body, table->path, table->text, table->bytes, table->form.separator);
    table->body.keys = table->form.keys;
    if (!table->form.has_header && line > 1) /* rows of a stream: a mark there is no mark of the table */
        table->body.at = table->text;
    if (csv_scan_done(&table->body))
        return error_set(error, ERROR_CORRUPT, "%s is empty: it has blank lines only", table->path);
    if (!count_columns(table, error) || !take_names(table, error))
        return false;
    table->body.line = line > 0 ? line : table->body.line;
    return count_rows(table, error);
}

bool csv_table_open(struct csv_table *table, struct watched *watched, const struct inflated_table *inflated,
                    const char *path, const struct csv_form *form, struct error *error)
{
    *table = (struct csv_table){.path = path, .form = *form};
    bool ok = load(table, watched, inflated, error) && parse(table, 0, error);
    if (!ok)
        csv_table_close(table);
    return ok;
}

bool csv_table_take(struct csv_table *table, char *text, size_t bytes, size_t line, const char *path,
                    const struct csv_form *form, struct error *error)
{
    *table = (struct csv_table){.path = path, .form = *form, .input = text, .text = text, .bytes = bytes};
    bool ok = check_text(table, error) && parse(table, line, error);
    if (!ok)
        csv_table_close(table);
    return ok;
}

static bool is_number(const char *name)
{
    return strspn(name, "0123456789+-.eE") == strlen(name);
}

/* "a, b, c and 4 more", and why `wanted` may not be among them. */
static void append_names(const struct csv_table *table, const char *wanted, struct text *words)
{
    char shown[40];
    size_t most = table->columns > NAMES_SHOWN ? NAMES_SHOWN : table->columns;
    for (size_t i = 0; i < most; i++) {
        option_show(table->names[i], shown, sizeof shown);
        text_append(words, "%s%s", i ? ", " : "", *shown ? shown : "(no name)");
    }
    if (most < table->columns)
        text_append(words, " and %zu more", table->columns - most);
    if (table->columns == 1)
        text_append(words, "; is the separator another one (%sseparator)%s?", table->form.keys,
                    *table->form.keys ? "" : ", or is it a text (format: text)");
    else if (!table->form.has_header && *table->form.keys && !is_number(wanted))
        text_append(words, "; its first line has to hold the names of the columns");
    else if (table->form.has_header && *table->form.keys && is_number(wanted))
        text_append(words, "; if its first line holds names: leave it out, for the training data had none");
    else if (table->form.has_header && is_number(table->names[0]))
        text_append(words, "; if its first line is data: %s", *table->form.keys ? NAMES_WANTED : "header: false");
}

bool csv_table_find(const struct csv_table *table, const char *name, size_t *column, struct error *error)
{
    size_t first = 0, end = table->columns;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcmp(table->names[table->by_name[middle]], name);
        *column = table->by_name[middle];
        if (order == 0)
            return true;
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    char shown[64];
    struct text names;
    text_init(&names);
    append_names(table, name, &names);
    option_show(name, shown, sizeof shown);
    error_set(error, ERROR_USAGE, "%s has no column %s; it has %s", table->path, shown, text_bytes(&names));
    text_release(&names);
    return false;
}

struct csv_scan csv_table_begin(const struct csv_table *table)
{
    return table->body;
}

const struct csv_field *csv_table_row(const struct csv_table *table, struct csv_scan *scan)
{
    struct error error;
    size_t count;
    CHECK(read_row(table, scan, &count, &error) && count == table->columns, "a row that was there before");
    return table->fields;
}
