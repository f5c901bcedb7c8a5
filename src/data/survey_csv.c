/* The columns of a table: what stands in each of them, and which one could be predicted from the others. */
#include "data/survey_csv.h"
#include "base/memory.h"
#include "base/plural.h"
#include "data/categories.h"
#include "data/survey.h"

#include <math.h>
#include <string.h>

#define NAMES_MOST     100 /* different words of a column that are categories */
#define NAMES_SHOWN    5
#define COLUMNS_SHOWN  100
#define CLASSES_LIKELY 100
#define COUNTS_FROM    10 /* rows; fewer whole numbers may well grow by chance */

struct column_facts {
    size_t numbers, wholes, words, missing, beyond;
    size_t commas; /* words that are numbers but for a decimal comma */
    double low, high, last;
    bool falls;                /* a number is not above the one before it */
    size_t first_missing;      /* line */
    size_t named, first_named; /* of the missing ones: NA and the like; the line of the first */
    struct csv_field word;     /* the first one */
    struct categories values;  /* of words, up to NAMES_MOST + 1 */
};

/* What a column is for. */
enum column_use { COLUMN_LEFT_OUT, COLUMN_INPUT, COLUMN_TARGET };

/* ---- what is in it ---- */

static bool has_decimal_comma(const struct csv_field *field, locale_t locale)
{
    char point[64];
    struct csv_field other = {.bytes = point, .length = field->length};
    double value;
    if (field->length >= sizeof point || !memchr(field->bytes, ',', field->length))
        return false;
    memcpy(point, field->bytes, field->length);
    point[field->length] = '\0';
    *(char *)memchr(point, ',', field->length) = '.';
    return csv_field_number(&other, locale, &value) == CSV_REAL;
}

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
        facts->falls = facts->falls || (facts->numbers > 0 && value <= facts->last);
        facts->last = value;
        facts->numbers++;
        break;
    case CSV_MISSING:
        if (facts->missing++ == 0)
            facts->first_missing = field->line;
        if (field->length > 0 && facts->named++ == 0)
            facts->first_named = field->line;
        break;
    case CSV_BEYOND:
        facts->beyond++;
        break;
    case CSV_WORD:
        if (facts->words++ == 0)
            facts->word = *field;
        facts->commas += has_decimal_comma(field, locale);
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
    return facts->words > facts->commas && facts->numbers == 0 && facts->values.count <= NAMES_MOST;
}

/* Whether it would hold numbers, were they written with a point. */
static bool has_commas(const struct column_facts *facts)
{
    return facts->commas > 0 && facts->commas == facts->words;
}

/* Whether a column of these can be an input at all. */
static bool is_usable(const struct column_facts *facts)
{
    return facts->beyond == 0 && (is_category(facts) || (facts->numbers > 0 && facts->words == 0));
}

/* Whether its numbers say no more than which row it is. */
static bool counts_rows(const struct column_facts *facts)
{
    return facts->wholes >= COUNTS_FROM && facts->wholes == facts->numbers && !facts->falls &&
           facts->words + facts->missing + facts->beyond == 0;
}

static const char *shown_name(const char *name)
{
    return *name ? name : "(no name)";
}

static void tell_words(const struct column_facts *facts, struct text *words)
{
    bool many = facts->values.count > NAMES_MOST;
    text_append(words, "%s%s%zu different word%s:", *text_bytes(words) ? ", and " : "", many ? "more than " : "",
                many ? NAMES_MOST : facts->values.count, plural(facts->values.count));
    for (size_t i = 0; i < facts->values.count && i < NAMES_SHOWN; i++) {
        const char *name = facts->values.names[i], *quote = strchr(name, ',') ? "'" : "";
        text_append(words, "%s %s%.40s%s", i > 0 ? "," : "", quote, name, quote);
    }
    text_append(words, "%s", facts->values.count > NAMES_SHOWN ? ", ..." : "");
}

static void tell_column(struct survey *survey, const char *name, const struct column_facts *facts)
{
    struct text words;
    text_init(&words);
    if (facts->numbers > 0)
        text_append(&words, "%s from %.6g to %.6g", facts->wholes == facts->numbers ? "whole numbers" : "numbers",
                    facts->low, facts->high);
    if (facts->words > 0)
        tell_words(facts, &words);
    if (facts->missing > 0)
        text_append(&words, "%s%zu missing", *text_bytes(&words) ? ", " : "", facts->missing);
    survey_tell(survey, "  %s: %s", shown_name(name), text_bytes(&words));
    text_release(&words);
}

/* Among names of classes NA is one of them, to whoever reads the table; only a field that is empty is missing. */
static void wonder_at_named(struct survey *survey, const char *name, const struct column_facts *facts)
{
    bool one = facts->named == 1;
    survey_wonder(survey,
                  "column %s: %zu value%s NA or the like (%sline %zu): that is a class of its own: if it is "
                  "none, remove the row%s",
                  name, facts->named, one ? " is" : "s are", one ? "" : "the first: ", facts->first_named,
                  plural(facts->named));
}

static void wonder_at_missing(struct survey *survey, const char *name, const struct column_facts *facts,
                              enum column_use use)
{
    bool one = facts->missing == 1;
    const char *they = one ? "it" : "they", *them = one ? "it" : "them";
    struct text words;
    text_init(&words);
    if (use == COLUMN_TARGET)
        text_append(&words, ": as %s %s cannot be filled: remove the row%s", one ? "a target" : "targets", they,
                    plural(facts->missing));
    else
        text_append(&words, "; as an input missing: NUMBER fills %s", them);
    survey_wonder(survey, "column %s: %zu value%s missing (%sline %zu)%s", name, facts->missing, one ? " is" : "s are",
                  one ? "" : "the first: ", facts->first_missing, text_bytes(&words));
    text_release(&words);
}

/* Why a column can be no input; it is none. */
static const char *reason_of(const struct column_facts *facts, const char *name)
{
    return !*name                                   ? "it has no name"
           : facts->beyond > 0                      ? "not all of its numbers are finite"
           : has_commas(facts)                      ? "its numbers have a comma, where a point is needed"
           : facts->words > 0 && facts->numbers > 0 ? "it holds numbers and words"
           : facts->words > 0                       ? "it holds too many different words"
                                                    : "it is empty";
}

static void wonder_at_column(struct survey *survey, const char *name, const struct column_facts *facts,
                             enum column_use use)
{
    char shown[64];
    if (use == COLUMN_TARGET && is_category(facts) && facts->named > 0)
        wonder_at_named(survey, shown_name(name), facts);
    else if (facts->missing > 0 && facts->numbers + facts->words > 0)
        wonder_at_missing(survey, shown_name(name), facts, use);
    if (facts->beyond > 0)
        survey_wonder(survey, "column %s: %zu number%s infinite, or beyond a float", shown_name(name), facts->beyond,
                      facts->beyond == 1 ? " is" : "s are");
    if (facts->words > 0 && facts->numbers > 0) {
        csv_field_show(&facts->word, shown, sizeof shown);
        survey_wonder(survey, "column %s holds %zu number%s, but also %zu word%s, as '%s' (line %zu)", shown_name(name),
                      facts->numbers, plural(facts->numbers), facts->words, plural(facts->words), shown,
                      facts->word.line);
    }
    if (facts->numbers > 1 && facts->low == facts->high && facts->words + facts->missing == 0)
        survey_wonder(survey, "column %s is constant", shown_name(name));
    if (use == COLUMN_INPUT && counts_rows(facts))
        survey_wonder(survey,
                      "column %s holds whole numbers that grow from row to row: if they only number the rows, "
                      "leave it out of the inputs",
                      shown_name(name));
    if (use == COLUMN_LEFT_OUT)
        survey_wonder(survey, "column %s is left out of the inputs: %s", shown_name(name), reason_of(facts, name));
}

/* ---- what a job says ---- */

/* Whether a column holds what somebody could want to know, be it that single fields of it are to be mended first: that
 * is said, and no other column takes its place. */
static bool may_be_target(const struct column_facts *facts, const char *name)
{
    return *name && facts->numbers + facts->beyond + facts->words > 0 &&
           (facts->numbers + facts->beyond + facts->commas > 0 || is_category(facts));
}

/* The last column: people write what they want to know at the end. */
static size_t guess_target(const struct csv_table *table, const struct column_facts *facts)
{
    for (size_t c = table->columns; c > 0; c--)
        if (may_be_target(&facts[c - 1], table->names[c - 1]))
            return c - 1;
    return table->columns;
}

/* What the columns are for. *guess: the target that nobody has named; `columns`: there is none. */
static enum column_use *find_uses(const struct survey *survey, const struct csv_table *table,
                                  const struct column_facts *facts, size_t *guess, struct error *error)
{
    enum column_use *uses = memory_need(table->columns, sizeof *uses);
    *guess = survey->target_count > 0 ? table->columns : guess_target(table, facts);
    for (size_t c = 0; c < table->columns; c++)
        uses[c] = c == *guess                                        ? COLUMN_TARGET
                  : is_usable(&facts[c]) && *table->names[c] != '\0' ? COLUMN_INPUT
                                                                     : COLUMN_LEFT_OUT;
    for (size_t t = 0; t < survey->target_count; t++) {
        size_t column;
        if (!csv_table_find(table, survey->targets[t], &column, error)) {
            memory_free(uses);
            return NULL;
        }
        uses[column] = COLUMN_TARGET;
    }
    return uses;
}

/* Whether whole numbers are hardly those of classes; those with a comma are none, nor are they its names. */
static bool is_quantity(const struct column_facts *facts)
{
    return has_commas(facts) ||
           (facts->numbers > 0 && facts->wholes == facts->numbers && (facts->low < 0 || facts->high > CLASSES_LIKELY));
}

struct names {
    char **names; /* [count] borrowed */
    size_t count;
};

static void add_name(struct names *names, char *name)
{
    names->names[names->count++] = name;
}

static void propose(struct survey *survey, const struct csv_table *table, const struct column_facts *facts,
                    const enum column_use *uses, const char *path)
{
    struct names all[3] = {{0}}, categories = {memory_need(table->columns, sizeof(char *)), 0};
    bool missing = false, quantity = false;
    for (size_t use = 0; use < 3; use++)
        all[use].names = memory_need(table->columns, sizeof(char *));
    for (size_t c = 0; c < table->columns; c++) {
        add_name(&all[uses[c]], table->names[c]);
        if (uses[c] == COLUMN_INPUT && is_category(&facts[c]))
            add_name(&categories, table->names[c]);
        missing = missing || (uses[c] == COLUMN_INPUT && facts[c].missing > 0);
        quantity = quantity || (uses[c] == COLUMN_TARGET && is_quantity(&facts[c]));
    }
    if (all[COLUMN_TARGET].count > 0 && all[COLUMN_INPUT].count > 0) {
        survey_text(survey, "path", path);
        survey_texts(survey, "targets", all[COLUMN_TARGET].names, all[COLUMN_TARGET].count);
        if (all[COLUMN_LEFT_OUT].count > 0)
            survey_texts(survey, "inputs", all[COLUMN_INPUT].names, all[COLUMN_INPUT].count);
        if (categories.count > 0)
            survey_texts(survey, "categories", categories.names, categories.count);
        if (missing)
            survey_key(survey, "missing", "0");
        if (quantity && all[COLUMN_TARGET].count == 1)
            survey_key(survey, "task", "regression");
    } else {
        survey_wonder(survey, "no job is proposed: %s",
                      all[COLUMN_TARGET].count > 0 ? "besides the target there is no column that can be an input"
                                                   : "there is no column that can be a target");
    }
    for (size_t use = 0; use < 3; use++)
        memory_free(all[use].names);
    memory_free(categories.names);
}

/* Says that nobody has named the target. */
static void tell_guess(struct survey *survey, const struct csv_table *table, const struct column_facts *facts,
                       size_t guess)
{
    size_t last = table->columns - 1;
    if (guess == table->columns || survey->keys.length == 0)
        return;
    if (guess == last)
        survey_guess(survey, "a guess: targets: the last column, %s; name another one: --targets NAME",
                     table->names[guess]);
    else
        survey_guess(survey,
                     "a guess: targets: %s; the last column, %s, cannot be one: %s; name another one: "
                     "--targets NAME",
                     table->names[guess], shown_name(table->names[last]), reason_of(&facts[last], table->names[last]));
}

static bool tell(struct survey *survey, const struct csv_table *table, const char *path, char separator,
                 const struct column_facts *facts, struct error *error)
{
    static char tab[] = "\\t";
    char text[2] = {separator, '\0'};
    size_t guess;
    survey_tell(survey, "%s: a table of %zu row%s and %zu column%s%s", path, table->rows, plural(table->rows),
                table->columns, plural(table->columns),
                table->form.has_header ? "" : ", whose first line holds no names");
    for (size_t c = 0; c < table->columns && c < COLUMNS_SHOWN; c++)
        tell_column(survey, table->names[c], &facts[c]);
    if (table->columns > COLUMNS_SHOWN)
        survey_tell(survey, "  ...");
    enum column_use *uses = find_uses(survey, table, facts, &guess, error);
    if (!uses)
        return false;
    for (size_t c = 0; c < table->columns; c++)
        if (c < COLUMNS_SHOWN || uses[c] == COLUMN_TARGET)
            wonder_at_column(survey, table->names[c], &facts[c], uses[c]);
    propose(survey, table, facts, uses, path);
    tell_guess(survey, table, facts, guess);
    if (survey->keys.length > 0) {
        if (separator != ',')
            survey_text(survey, "separator", separator == '\t' ? tab : text);
        if (!table->form.has_header)
            survey_key(survey, "header", "false");
    }
    memory_free(uses);
    return true;
}

bool survey_csv(const char *const *paths, size_t count, struct survey *survey, struct error *error)
{
    struct csv_table table;
    struct watched watched = {0};
    char separator = ',';
    (void)count;
    locale_t locale = newlocale(LC_ALL_MASK, "C", NULL);
    bool ok = locale ? survey_csv_open(&table, &watched, paths[0], &separator, locale, error)
                     : error_errno(error, "cannot have the locale C");
    if (ok) {
        struct column_facts *facts = look(&table, locale);
        ok = tell(survey, &table, paths[0], separator, facts, error);
        for (size_t c = 0; c < table.columns; c++)
            categories_release(&facts[c].values);
        memory_free(facts);
        csv_table_close(&table);
    }
    watched_release(&watched);
    if (locale)
        freelocale(locale);
    return ok;
}
