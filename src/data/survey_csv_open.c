/* How a table is written: what its separator is, and whether its first line holds names. */
#include "data/survey_csv.h"

#include "data/whole.h"

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

/* How many fields the first line has with this separator; 0: it cannot be read so. */
static size_t count_fields(const struct whole *text, const char *path, char separator)
{
    struct csv_scan scan;
    struct csv_field field;
    struct error ignored;
    size_t count = 0;
    csv_scan_init(&scan, path, text->bytes, text->count, separator);
    for (bool last = false; !last; count++)
        if (!csv_scan_field(&scan, &field, &last, &ignored))
            return 0;
    return count;
}

/* The separators, what makes more of the first line before what makes less. */
static bool order_separators(const char *path, char order[sizeof separators], struct error *error)
{
    struct whole text;
    struct watched watched = {0};
    size_t counts[sizeof separators] = {0};
    memcpy(order, separators, sizeof separators);
    bool ok = whole_open(&text, path, "a CSV file", &watched, NULL, error);
    for (size_t i = 0; ok && order[i]; i++) {
        size_t count = count_fields(&text, path, separators[i]), at = i;
        for (; at > 0 && counts[at - 1] < count; at--) {
            counts[at] = counts[at - 1];
            order[at] = order[at - 1];
        }
        counts[at] = count;
        order[at] = separators[i];
    }
    whole_close(&text);
    watched_release(&watched);
    return ok;
}

bool survey_csv_open(struct csv_table *table, struct watched *watched, const char *path, char *separator,
                     locale_t locale, struct error *error)
{
    char order[sizeof separators];
    if (!order_separators(path, order, error))
        return false;
    for (const char *c = order; *c; c++) {
        struct error other;
        *separator = *c;
        bool ok = open_with(table, watched, path, *c, locale, c == order ? error : &other);
        if (ok && (c == order || table->columns > 1))
            return true;
        csv_table_close(table);
        watched_release(watched);
    }
    return false;
}
