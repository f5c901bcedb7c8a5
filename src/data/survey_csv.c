/* The columns of a table: what its separator is, whether its first line holds names, and what stands in each column. */
#include "base/memory.h"
#include "base/plural.h"
#include "data/categories.h"
#include "data/csv_table.h"
#include "data/survey.h"

#include <math.h>
#include <string.h>

#define NAMES_MOST     100 /* different words of a column that are categories */
#define NAMES_SHOWN    5
#define COLUMNS_SHOWN  100
#define CLASSES_LIKELY 100

struct column_facts {
    size_t numbers, wholes, words, missing, beyond;
    double low, high;
    struct categories values; /* of words, up to NAMES_MOST + 1 */
};

/* ---- how the table is written ---- */

/* With its first line as names, or else, as where two of them are equal, as data. */
static bool open_with(struct csv_table *table, struct watched *watched, const char *path, char separator,
                      struct error *error)
{
    if (csv_table_open(table, watched, NULL, path, separator, true, error))
        return true;
    struct error ignored;
    watched_release(watched);
    return csv_table_open(table, watched, NULL, path, separator, false, &ignored);
}

/* With the separator that makes the most of the first line, if all lines have as many fields. */
static bool open_table(struct csv_table *table, struct watched *watched, const char *path, char *separator,
                       struct error *error)
{
    static const char separators[] = ",;\t|";
    size_t best = 0;
    *separator = ',';
    for (const char *c = separators; *c; c++) {
        struct error ignored;
        if (open_with(table, watched, path, *c, &ignored) && table->columns > best) {
            best = table->columns;
            *separator = *c;
        }
        csv_table_close(table);
        watched_release(watched);
    }
    return open_with(table, watched, path, *separator, error);
}

/* Whether names of columns look like values: the first line is data. */
static bool has_number(const struct csv_table *table, locale_t locale)
{
    double value;
    for (size_t c = 0; c < table->columns; c++) {
        struct csv_field field = {.bytes = table->names[c], .length = strlen(table->names[c])};
        enum csv_number number = csv_field_number(&field, locale, &value);
        if (number == CSV_WHOLE || number == CSV_REAL)
            return true;
    }
    return false;
}

/* ---- what is in it ---- */

static void take(struct column_facts *facts, const struct csv_field *field, locale_t locale)
{
    double value = 0;
    switch (csv_field_number(field, locale, &value)) {
    case CSV_WHOLE:
        facts->wholes++;
        /* fall through */
    case CSV_REAL:
        facts->low = facts->numbers == 0 || value < facts->low ? value : facts->low;
        facts->high = facts->numbers == 0 || value > facts->high ? value : facts->high;
        facts->numbers++;
        break;
    case CSV_MISSING:
        facts->missing++;
        break;
    case CSV_BEYOND:
        facts->beyond++;
        break;
    case CSV_WORD:
        facts->words++;
        if (facts->values.count <= NAMES_MOST)
            (void)categories_add(&facts->values, field->bytes, field->length);
        break;
    }
}

static struct column_facts *look(const struct csv_table *table, locale_t locale)
{
    struct column_facts *facts = memory_need(table->columns, sizeof *facts);
    struct csv_scan scan = csv_table_begin(table);
    for (size_t row = 0; row < table->rows; row++) {
        const struct csv_field *fields = csv_table_row(table, &scan);
        for (size_t c = 0; c < table->columns; c++)
            take(&facts[c], &fields[c], locale);
    }
    return facts;
}

static bool is_category(const struct column_facts *facts)
{
    return facts->words > 0 && facts->numbers == 0 && facts->values.count <= NAMES_MOST;
}

/* Whether a column of these can be an input at all. */
static bool is_usable(const struct column_facts *facts)
{
    return facts->beyond == 0 && (is_category(facts) || (facts->numbers > 0 && facts->words == 0));
}

static void tell_column(struct survey *survey, const char *name, const struct column_facts *facts)
{
    struct text words;
    text_init(&words);
    if (facts->numbers > 0)
        text_append(&words, "%s from %.6g to %.6g", facts->wholes == facts->numbers ? "whole numbers" : "numbers",
                    facts->low, facts->high);
    if (facts->words > 0) {
        bool many = facts->values.count > NAMES_MOST;
        text_append(&words, "%s%s%zu different words:", *text_bytes(&words) ? ", and " : "", many ? "more than " : "",
                    many ? NAMES_MOST : facts->values.count);
        for (size_t i = 0; i < facts->values.count && i < NAMES_SHOWN; i++)
            text_append(&words, "%s %.40s", i > 0 ? "," : "", facts->values.names[i]);
        text_append(&words, "%s", facts->values.count > NAMES_SHOWN ? ", ..." : "");
    }
    if (facts->missing > 0)
        text_append(&words, "%s%zu missing", *text_bytes(&words) ? ", " : "", facts->missing);
    survey_tell(survey, "  %s: %s", *name ? name : "(no name)", text_bytes(&words));
    if (facts->missing > 0)
        survey_wonder(survey, "column %s: %zu value%s missing; as an input missing: NUMBER fills %s", name,
                      facts->missing, facts->missing == 1 ? " is" : "s are", facts->missing == 1 ? "it" : "them");
    if (facts->beyond > 0)
        survey_wonder(survey, "column %s: %zu number%s infinite, or beyond a float", name, facts->beyond,
                      facts->beyond == 1 ? " is" : "s are");
    if (facts->words > 0 && facts->numbers > 0)
        survey_wonder(survey, "column %s holds %zu number%s, but also %zu word%s, as '%.40s'", name, facts->numbers,
                      plural(facts->numbers), facts->words, plural(facts->words), facts->values.names[0]);
    if (facts->numbers > 1 && facts->low == facts->high && facts->words + facts->missing == 0)
        survey_wonder(survey, "column %s is constant", name);
    text_release(&words);
}

/* ---- what a job says ---- */

/* The last column that can be one: people write what they want to know at the end. */
static size_t find_target(const struct csv_table *table, const struct column_facts *facts)
{
    for (size_t c = table->columns; c > 0; c--)
        if (is_usable(&facts[c - 1]) && facts[c - 1].missing == 0 && *table->names[c - 1])
            return c - 1;
    return table->columns;
}

/* Whether whole numbers are hardly those of classes. */
static bool is_quantity(const struct column_facts *facts)
{
    return facts->numbers > 0 && facts->wholes == facts->numbers && (facts->low < 0 || facts->high > CLASSES_LIKELY);
}

static void propose(struct survey *survey, const struct csv_table *table, const struct column_facts *facts,
                    const char *path)
{
    size_t target = find_target(table, facts), inputs = 0, categories = 0;
    bool all = true, missing = false;
    char **input = memory_need(table->columns, sizeof *input),
         **category = memory_need(table->columns, sizeof *category);
    for (size_t c = 0; c < table->columns; c++) {
        if (c == target)
            continue;
        if (!is_usable(&facts[c]) || !*table->names[c]) {
            all = false;
            continue;
        }
        input[inputs++] = table->names[c];
        missing = missing || facts[c].missing > 0;
        if (is_category(&facts[c]))
            category[categories++] = table->names[c];
    }
    if (target < table->columns && inputs > 0) {
        survey_text(survey, "path", path);
        survey_texts(survey, "targets", &table->names[target], 1);
        if (!all)
            survey_texts(survey, "inputs", input, inputs);
        if (categories > 0)
            survey_texts(survey, "categories", category, categories);
        if (missing)
            survey_key(survey, "missing", "0");
        if (is_quantity(&facts[target]))
            survey_key(survey, "task", "regression");
    }
    memory_free(input);
    memory_free(category);
}

static void tell(struct survey *survey, const struct csv_table *table, const char *path, char separator,
                 locale_t locale)
{
    static char tab[] = "\\t";
    char text[2] = {separator, '\0'};
    struct column_facts *facts = look(table, locale);
    survey_tell(survey, "%s: a table of %zu row%s and %zu column%s%s", path, table->rows, plural(table->rows),
                table->columns, plural(table->columns), table->has_header ? "" : ", whose first line holds no names");
    for (size_t c = 0; c < table->columns && c < COLUMNS_SHOWN; c++)
        tell_column(survey, table->names[c], &facts[c]);
    if (table->columns > COLUMNS_SHOWN)
        survey_tell(survey, "  ...");
    propose(survey, table, facts, path);
    if (survey->keys.length > 0) {
        if (separator != ',')
            survey_text(survey, "separator", separator == '\t' ? tab : text);
        if (!table->has_header)
            survey_key(survey, "header", "false");
    }
    for (size_t c = 0; c < table->columns; c++)
        categories_release(&facts[c].values);
    memory_free(facts);
}

bool survey_csv(const char *const *paths, size_t count, struct survey *survey, struct error *error)
{
    struct csv_table table;
    struct watched watched = {0};
    char separator = ',';
    (void)count;
    locale_t locale = newlocale(LC_ALL_MASK, "C", NULL);
    bool ok = locale ? open_table(&table, &watched, paths[0], &separator, error)
                     : error_errno(error, "cannot have the locale C");
    if (ok && table.has_header && has_number(&table, locale)) {
        csv_table_close(&table);
        watched_release(&watched);
        ok = csv_table_open(&table, &watched, NULL, paths[0], separator, false, error);
    }
    if (ok) {
        tell(survey, &table, paths[0], separator, locale);
        csv_table_close(&table);
    }
    watched_release(&watched);
    if (locale)
        freelocale(locale);
    return ok;
}
