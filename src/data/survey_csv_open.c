/* How a table is written: what its separator is, and whether its first line holds names. */
#include "data/survey_csv.h"

#include <string.h>

static const char separators[] = ",;\t|";

/* Whether names of columns look like values: the first line is data. */
static bool has_number(const struct csv_field *field, locale_t locale)
{
    double value;
    enum csv_number number = csv_field_number(field, locale, &value);
    return number == CSV_WHOLE || number == CSV_REAL;
}

static bool begins_with_numbers(const struct csv_table *table, locale_t locale)
{
    for (size_t c = 0; table->form.has_header && c < table->columns; c++) {
        struct csv_field field = {.bytes = table->names[c], .length = strlen(table->names[c])};
        if (has_number(&field, locale))
            return true;
    }
    struct csv_scan scan = csv_table_begin(table);
    const struct csv_field *fields = table->form.has_header ? NULL : csv_table_row(table, &scan);
    for (size_t c = 0; fields && c < table->columns; c++)
        if (has_number(&fields[c], locale))
            return true;
    return false;
}

/* With its first line as names, unless that holds numbers, of which two may well be equal. */
static bool open_with(struct csv_table *table, struct watched *watched, const char *path, char separator,
                      locale_t locale, struct error *error)
{
    struct error ignored;
    if (csv_table_open(table, watched, NULL, path, &(struct csv_form){separator, true, ""}, error) &&
        !begins_with_numbers(table, locale))
        return true;
    bool had_header = table->columns > 0;
    csv_table_close(table);
    watched_release(watched);
    if (!csv_table_open(table, watched, NULL, path, &(struct csv_form){separator, false, ""},
                        had_header ? error : &ignored))
        return false;
    if (had_header || begins_with_numbers(table, locale))
        return true;
    csv_table_close(table);
    return false;
}

/* The separator that makes the most of the first line, of this table or of another one that it could be. */
static char find_separator(const struct csv_table *table)
{
    char best = *separators;
    size_t most = 0;
    for (const char *c = separators; *c; c++) {
        size_t count = csv_table_fields(table, *c);
        if (count > most)
            best = *c;
        most = count > most ? count : most;
    }
    return best;
}

bool survey_csv_open(struct csv_table *table, struct watched *watched, const char *path, char *separator,
                     locale_t locale, struct error *error)
{
    size_t best = 0;
    char likely = *separators; /* where none makes columns */
    for (const char *c = separators; *c; c++) {
        struct error ignored;
        if (open_with(table, watched, path, *c, locale, &ignored) && table->columns > best) {
            best = table->columns;
            *separator = *c;
            likely = find_separator(table);
        }
        csv_table_close(table);
        watched_release(watched);
    }
    if (best <= 1)
        *separator = likely;
    return open_with(table, watched, path, *separator, locale, error);
}
