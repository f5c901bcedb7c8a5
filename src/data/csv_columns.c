#include "data/csv_columns.h"

#include "base/memory.h"
#include "base/option.h"
#include "base/plural.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLASSES_MOST 65536 /* of whole numbers that nobody has said are classes */

bool csv_refuse(const struct csv_source *source, const struct csv_column *column, const struct csv_field *field,
                enum error_kind kind, struct error *error, const char *format, ...)
{
    char name[64], shown[64], words[600];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    option_show(column->about.name, name, sizeof name);
    csv_field_show(field, shown, sizeof shown);
    bool is_first = field->line == 1 && !source->table->form.has_header;
    const char *hint = !is_first                  ? ""
                       : csv_is_of_inputs(source) ? "; if the first line holds names: leave it out, for the training "
                                                    "data had none"
                                                  : "; if the first line holds names: header: true";
    return error_set(error, kind, "%s: line %zu, column %s holds '%s'%s%s", source->settings->path, field->line, name,
                     shown, words, hint);
}

/* Whether there are names of the training data, which these columns have to have. */
static bool is_named(const struct csv_source *source)
{
    return source->train && source->train->input_count > 0;
}

static void release(struct csv_column *columns, size_t count)
{
    for (size_t i = 0; columns && i < count; i++) {
        memory_free(columns[i].about.name);
        categories_release(&columns[i].about.values);
    }
    memory_free(columns);
}

void csv_columns_release(struct csv_columns *columns)
{
    release(columns->inputs, columns->input_count);
    release(columns->targets, columns->target_count);
    *columns = (struct csv_columns){0};
}

/* ---- which columns ---- */

/* What a column is used as so far, by its place in the file. */
enum use { UNUSED, TARGET, INPUT };

struct choosing {
    const struct csv_source *source;
    enum use *uses; /* [columns of the file] */
    struct error *error;
};

static bool take(struct choosing *choosing, struct csv_column *column, const char *name, enum use use)
{
    const char *path = choosing->source->settings->path;
    if (!csv_table_find(choosing->source->table, name, &column->place, choosing->error))
        return false;
    if (!utf8_is_text(name, strlen(name)))
        return error_set(choosing->error, ERROR_USAGE,
                         "%s: the name of column %zu is not UTF-8: convert the file first, with iconv", path,
                         column->place + 1);
    enum use before = choosing->uses[column->place];
    choosing->uses[column->place] = use;
    column->about.name = memory_text(name);
    if (before == UNUSED)
        return true;
    char shown[64];
    option_show(name, shown, sizeof shown);
    if (before != use)
        return error_set(choosing->error, ERROR_USAGE, "%s: column %s is among inputs and targets: it can be one", path,
                         shown);
    return error_set(choosing->error, ERROR_USAGE, "%s: column %s is named twice in %s", path, shown,
                     use == INPUT ? "inputs" : "targets");
}

static bool take_all(struct choosing *choosing, struct csv_column **columns, size_t *count, char *const *names,
                     size_t name_count, enum use use)
{
    *columns = memory_need(name_count, sizeof **columns);
    *count = name_count;
    for (size_t i = 0; i < name_count; i++)
        if (!take(choosing, &(*columns)[i], names[i], use))
            return false;
    return true;
}

/* Inputs are all columns that are no targets. */
static bool take_rest(struct choosing *choosing, struct csv_columns *columns)
{
    const struct csv_table *table = choosing->source->table;
    columns->inputs = memory_need(table->columns, sizeof *columns->inputs);
    for (size_t i = 0; i < table->columns; i++) {
        if (choosing->uses[i] != UNUSED)
            continue;
        if (!*table->names[i])
            return error_set(
                choosing->error, ERROR_USAGE,
                "%s: column %zu has no name, and may be a mere number of the row: name the inputs (inputs: "
                "[...]), or leave it out of the file",
                choosing->source->settings->path, i + 1);
        if (!take(choosing, &columns->inputs[columns->input_count++], table->names[i], INPUT))
            return false;
    }
    return columns->input_count > 0 || error_set(choosing->error, ERROR_USAGE, "%s has no column besides the targets",
                                                 choosing->source->settings->path);
}

/* Columns of validation data are found by the names that those of the training data have. */
static bool take_as_trained(struct choosing *choosing, struct csv_columns *columns)
{
    const struct description *train = choosing->source->train;
    columns->inputs = memory_need(train->input_count, sizeof *columns->inputs);
    for (size_t i = 0; i < train->input_count; i++) {
        columns->input_count = i + 1;
        if (!take(choosing, &columns->inputs[i], train->inputs[i].name, INPUT))
            return false;
    }
    return true;
}

static bool choose(struct choosing *choosing, struct csv_columns *columns)
{
    const struct csv_settings *settings = choosing->source->settings;
    if (!take_all(choosing, &columns->targets, &columns->target_count, settings->targets, settings->target_count,
                  TARGET))
        return false;
    if (settings->input_count > 0)
        return take_all(choosing, &columns->inputs, &columns->input_count, settings->inputs, settings->input_count,
                        INPUT);
    return is_named(choosing->source) ? take_as_trained(choosing, columns) : take_rest(choosing, columns);
}

/* ---- as the training data has them ---- */

static bool check_names(const struct csv_source *source, const char *key, const struct csv_column *columns,
                        size_t count, const struct column *train, size_t train_count, struct error *error)
{
    char here[64], there[64];
    if (count != train_count)
        return error_set(error, ERROR_USAGE,
                         "%s: %s names %zu column%s, but of the training data %zu: both must be equal",
                         source->settings->path, key, count, plural(count), train_count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(columns[i].about.name, train[i].name) == 0)
            continue;
        option_show(columns[i].about.name, here, sizeof here);
        option_show(train[i].name, there, sizeof there);
        return error_set(error, ERROR_USAGE, "%s: %s has %s where it is %s in the training data: both must be equal",
                         source->settings->path, key, here, there);
    }
    return true;
}

static void adopt_values(struct csv_column *columns, const struct column *train, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        columns[i].about.is_category = train[i].is_category;
        categories_copy(&columns[i].about.values, &train[i].values);
    }
}

/* ---- what their values are ---- */

static struct csv_column *column_named(struct csv_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->input_count; i++)
        if (strcmp(columns->inputs[i].about.name, name) == 0)
            return &columns->inputs[i];
    for (size_t i = 0; i < columns->target_count; i++)
        if (strcmp(columns->targets[i].about.name, name) == 0)
            return &columns->targets[i];
    return NULL;
}

static bool mark_categories(struct csv_columns *columns, const struct csv_source *source, struct error *error)
{
    const struct csv_settings *settings = source->settings;
    char shown[64];
    for (size_t i = 0; i < settings->category_count; i++) {
        struct csv_column *column = column_named(columns, settings->categories[i]);
        option_show(settings->categories[i], shown, sizeof shown);
        if (!column)
            return error_set(error, ERROR_USAGE, "%s: categories names %s, which is neither an input nor a target",
                             settings->path, shown);
        if (is_named(source) && !column->about.is_category)
            return error_set(error, ERROR_USAGE, "%s: categories names %s, which is none in the training data",
                             settings->path, shown);
        column->about.is_category = true;
        bool is_target = column >= columns->targets && column < columns->targets + columns->target_count;
        if (is_target && (columns->target_count > 1 || settings->task == CSV_REGRESSION))
            return error_set(error, ERROR_USAGE,
                             "%s: categories names the target %s: categories are classes, of which there can be one "
                             "target, and no regression",
                             settings->path, shown);
        if (source->train && !is_named(source))
            return error_set(error, ERROR_USAGE,
                             "%s: column %s holds categories, whose numbers come from the training data: that must be "
                             "of format csv as well",
                             settings->path, shown);
    }
    return true;
}

static bool adopt(struct csv_columns *columns, const struct csv_source *source, struct error *error)
{
    const struct description *train = source->train;
    if (!check_names(source, "inputs", columns->inputs, columns->input_count, train->inputs, train->input_count,
                     error) ||
        (columns->target_count > 0 && !check_names(source, "targets", columns->targets, columns->target_count,
                                                   train->targets, train->target_count, error)))
        return false;
    adopt_values(columns->inputs, train->inputs, train->input_count);
    adopt_values(columns->targets, train->targets, columns->target_count);
    columns->has_classes = columns->target_count > 0 && train->form.classes > 0;
    columns->classes = train->form.classes;
    return mark_categories(columns, source, error);
}

/* What stands in the one target, in the whole file. */
struct survey {
    size_t numbers, wholes, words;
    double largest;
    struct csv_field word, largest_field; /* the first word, and the largest number */
};

static struct survey survey_target(const struct csv_columns *columns, const struct csv_source *source)
{
    struct survey survey = {.largest = -HUGE_VAL};
    struct csv_scan scan = csv_table_begin(source->table);
    for (size_t row = 0; row < source->table->rows; row++) {
        const struct csv_field *field = csv_table_row(source->table, &scan) + columns->targets[0].place;
        double value = 0;
        enum csv_number number = csv_field_number(field, source->locale, &value);
        if (number == CSV_WORD && survey.words++ == 0)
            survey.word = *field;
        if (number != CSV_WHOLE && number != CSV_REAL)
            continue;
        survey.numbers++;
        survey.wholes += number == CSV_WHOLE;
        if (value <= survey.largest)
            continue;
        survey.largest = value;
        survey.largest_field = *field;
    }
    return survey;
}

/* 1 + the largest of the whole file, so that all parts of it have the same classes. */
static bool count_classes(struct csv_columns *columns, const struct csv_source *source, const struct survey *survey,
                          struct error *error)
{
    const struct csv_settings *settings = source->settings;
    double largest = survey->largest - (double)settings->label_offset;
    double most = settings->task == CSV_CLASSES ? 1e6 : CLASSES_MOST;
    columns->classes = (size_t)settings->classes;
    if (source->train)
        columns->classes = source->train->form.classes;
    if (columns->classes > 0)
        return true;
    if (largest >= most)
        return csv_refuse(source, &columns->targets[0], &survey->largest_field, ERROR_USAGE, error,
                          ": as labels its whole numbers would be more than %.0f classes; if it is a quantity: task: "
                          "regression",
                          most);
    columns->classes = largest < 1 ? 2 : (size_t)largest + 1;
    return true;
}

/* Whether the target holds classes, and which. */
static bool judge_target(struct csv_columns *columns, const struct csv_source *source, struct error *error)
{
    const struct csv_settings *settings = source->settings;
    struct csv_column *target = &columns->targets[0];
    unsigned task = settings->task;
    if (source->train)
        task = source->train->form.classes > 0 ? CSV_CLASSES : CSV_REGRESSION;
    if (columns->target_count > 1 && settings->task == CSV_CLASSES)
        return error_set(error, ERROR_USAGE, "%s: classes have one target, but targets names %zu columns",
                         settings->path, columns->target_count);
    columns->has_classes = target->about.is_category;
    if (target->about.is_category || columns->target_count > 1 || task == CSV_REGRESSION)
        return true;
    struct survey survey = survey_target(columns, source);
    if (survey.words > 0 && survey.numbers > 0)
        return csv_refuse(source, target, &survey.word, ERROR_CORRUPT, error,
                          ", which is no number, but others of the column are: repair it, or let all of them be names: "
                          "categories: [...]");
    if (survey.words > 0 && source->train)
        return csv_refuse(source, target, &survey.word, ERROR_USAGE, error,
                          ", which is no number: what numbers names have only training data of format csv can tell");
    target->about.is_category = survey.words > 0;
    columns->has_classes = target->about.is_category || task == CSV_CLASSES ||
                           (survey.numbers > 0 && survey.wholes == survey.numbers);
    return !columns->has_classes || target->about.is_category || count_classes(columns, source, &survey, error);
}

bool csv_columns_category(const struct csv_column *column, const struct csv_field *field, size_t *number)
{
    if (!field->doubled)
        return categories_find(&column->about.values, field->bytes, field->length, number);
    char *text = csv_field_text(field);
    bool found = categories_find(&column->about.values, text, strlen(text), number);
    memory_free(text);
    return found;
}

static bool add_value(struct csv_column *column, const struct csv_field *fields, const struct csv_source *source,
                      struct error *error)
{
    const struct csv_field *field = &fields[column->place];
    if (!column->about.is_category || field->length == 0)
        return true;
    char *text = csv_field_text(field);
    bool is_utf8 = utf8_is_text(text, strlen(text));
    bool ok = is_utf8 && categories_add(&column->about.values, text, strlen(text));
    memory_free(text);
    return ok || csv_refuse(source, column, field, ERROR_USAGE, error,
                            is_utf8 ? ", which is one value too many: a column of categories can have %d different ones"
                                    : ", which is not UTF-8: convert the file first, with iconv",
                            CATEGORIES_MOST);
}

/* Gathers the values of all columns of categories, in the whole file. */
static bool gather(struct csv_columns *columns, const struct csv_source *source, struct error *error)
{
    bool any = columns->target_count > 0 && columns->targets[0].about.is_category;
    for (size_t i = 0; i < columns->input_count; i++)
        any = any || columns->inputs[i].about.is_category;
    struct csv_scan scan = csv_table_begin(source->table);
    for (size_t row = 0; any && row < source->table->rows; row++) {
        const struct csv_field *fields = csv_table_row(source->table, &scan);
        if (columns->target_count > 0 && !add_value(&columns->targets[0], fields, source, error))
            return false;
        for (size_t i = 0; i < columns->input_count; i++)
            if (!add_value(&columns->inputs[i], fields, source, error))
                return false;
    }
    if (columns->target_count > 0 && columns->targets[0].about.is_category)
        columns->classes = columns->targets[0].about.values.count < 2 ? 2 : columns->targets[0].about.values.count;
    return true;
}

static bool learn(struct csv_columns *columns, const struct csv_source *source, struct error *error)
{
    return mark_categories(columns, source, error) &&
           (columns->target_count == 0 || judge_target(columns, source, error)) && gather(columns, source, error);
}

/* Whether what the settings say of the target is so, whoever has told what it holds. */
static bool check_target(const struct csv_columns *columns, const struct csv_source *source, struct error *error)
{
    const struct csv_settings *settings = source->settings;
    const struct csv_column *target = &columns->targets[0];
    char shown[64];
    if (columns->target_count == 0)
        return true;
    option_show(target->about.name, shown, sizeof shown);
    if (settings->task != CSV_AUTO && (settings->task == CSV_CLASSES) != columns->has_classes)
        return error_set(error, ERROR_USAGE, "%s: task is %s, but the target %s holds %s", settings->path,
                         columns->has_classes ? "regression" : "classes", shown,
                         columns->has_classes ? "classes" : "a quantity");
    if (columns->has_classes && !target->about.is_category) {
        if (settings->classes > 0 && settings->classes != columns->classes)
            return error_set(error, ERROR_USAGE, "%s: classes is %zu, but of the training data %zu: both must be equal",
                             settings->path, (size_t)settings->classes, columns->classes);
        return true;
    }
    return (settings->classes == 0 && settings->label_offset == 0) ||
           error_set(error, ERROR_USAGE,
                     "%s: classes and label_offset are for labels that are whole numbers, but the target %s holds %s",
                     settings->path, shown, columns->has_classes ? "names" : "a quantity");
}

bool csv_columns_find(struct csv_columns *columns, const struct csv_source *source, struct error *error)
{
    *columns = (struct csv_columns){0};
    struct choosing choosing = {source, memory_need(source->table->columns, sizeof(enum use)), error};
    bool ok = choose(&choosing, columns) &&
              (is_named(source) ? adopt(columns, source, error) : learn(columns, source, error)) &&
              check_target(columns, source, error);
    memory_free(choosing.uses);
    for (size_t i = 0; ok && i < columns->input_count; i++)
        columns->width += columns->inputs[i].about.is_category ? columns->inputs[i].about.values.count : 1;
    if (ok && columns->width == 0)
        ok = error_set(error, ERROR_CORRUPT, "%s: no field of the inputs holds anything", source->settings->path);
    if (!ok)
        csv_columns_release(columns);
    return ok;
}
