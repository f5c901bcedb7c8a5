#include "base/registry.h"

#include "base/memory.h"
#include "base/option.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The rows that are looked at: those of a kind, or of the items of one of its lists. */
struct rows {
    const struct registry *registry;
    const struct kind *kind;
    const struct option_row *first;
    size_t bytes; /* of the struct that they are in */
};

/* Small letters, digits, underscores; nothing that YAML takes for a value of its own. (YAML 1.1 says so of y and n as
 * well, but its readers do not: libyaml knows no types, and PyYAML leaves them texts. Targets are called y.) */
static bool is_name(const char *name)
{
    static const char *const values[] = {"null", "true", "false", "yes", "no", "on", "off"};
    if (!name || !strchr("abcdefghijklmnopqrstuvwxyz", *name) || !*name || strlen(name) > REGISTRY_NAME)
        return false;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!strcmp(name, values[i]))
            return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

/* "layer NAME: its key KEY words". False. */
static bool refuse(const struct rows *rows, const char *key, struct error *error, const char *format, ...) FORMAT(4, 5);
static bool refuse(const struct rows *rows, const char *key, struct error *error, const char *format, ...)
{
    char words[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    return error_set(error, ERROR_USAGE, "%s %s: its key %.40s %s", rows->registry->role, rows->kind->name, key, words);
}

/* One of the rows from `first` to before `end` (NULL: all of them) that has this name; NULL: there is none. */
static const struct option_row *row_named(const struct option_row *first, const struct option_row *end,
                                          const char *name)
{
    for (; first && first != end && first->name; first++)
        if (first->type != OPTION_KIND_KEYS && !strcmp(first->name, name))
            return first;
    return NULL;
}

static size_t field_bytes(const struct option_row *row)
{
    switch (row->type) {
    case OPTION_PAIR:
        return 2 * sizeof(double);
    case OPTION_BOOL:
        return sizeof(bool);
    case OPTION_CHOICE:
        return sizeof(unsigned);
    default: /* a number, or a pointer */
        return sizeof(uint64_t);
    }
}

static bool check_name(const struct rows *rows, const struct option_row *row, struct error *error)
{
    bool is_own = rows->first == rows->kind->keys;
    if (!is_name(row->name))
        return refuse(rows, row->name, error, "has a name that cannot be one");
    if (is_own && row_named(rows->registry->keys, NULL, row->name))
        return refuse(rows, row->name, error, "is called as one that they all have: give it another name");
    return !row_named(rows->first, row, row->name) || refuse(rows, row->name, error, "stands there twice");
}

static bool check_type(const struct rows *rows, const struct option_row *row, struct error *error)
{
    bool counted = option_is_counted(row);
    if (row->type == OPTION_SECTION || row->type == OPTION_KIND || row->type == OPTION_KIND_KEYS)
        return refuse(rows, row->name, error, "is a section: only values and lists are possible");
    if (row->offset + field_bytes(row) > rows->bytes || (counted && row->count_offset + sizeof(size_t) > rows->bytes))
        return refuse(rows, row->name, error, "lies beyond its settings, of which there are %zu bytes", rows->bytes);
    if ((row->type == OPTION_CHOICE && !row->choices) || (counted && row->item_bytes == 0) ||
        (row->type == OPTION_LIST && !row->keys))
        return refuse(rows, row->name, error, "does not say what may stand there");
    if (row->path && row->type != OPTION_TEXT)
        return refuse(rows, row->name, error, "cannot hold a path: only a text can");
    if (row->exists)
        return refuse(rows, row->name, error, "cannot be one that exists now and then");
    if (row->resume == RESUME_REQUESTED)
        return refuse(rows, row->name, error, "cannot be one that changes on request");
    return true;
}

static bool can_be_optional(const struct option_row *row)
{
    return row->type == OPTION_UNSIGNED || row->type == OPTION_REAL || row->type == OPTION_TEXT ||
           row->type == OPTION_CHOICE || option_is_counted(row);
}

/* Reads the default, as a job without the key would. */
static bool check_default(const struct rows *rows, const struct option_row *row, struct error *error)
{
    const struct option_row *other = row->default_key ? row_named(rows->first, row, row->default_key) : NULL;
    if (row->optional && !can_be_optional(row))
        return refuse(rows, row->name, error, "cannot be optional: nothing would say that it is not there");
    if (row->default_key && (!other || other->type != OPTION_UNSIGNED || row->type != OPTION_UNSIGNED))
        return refuse(rows, row->name, error, "wants its default from %s, which is no number before it",
                      row->default_key);
    if (!row->defaults[0] || row->default_key)
        return true;
    if (option_is_counted(row) || (row->type == OPTION_PAIR && !row->defaults[1]))
        return refuse(rows, row->name, error, "cannot have this default");
    void *settings = memory_need(1, rows->bytes);
    bool ok = true;
    for (size_t i = 0; ok && i < option_elements(row); i++)
        ok = option_read(row, i, row->defaults[i], settings, error);
    if (row->type == OPTION_TEXT)
        memory_free(*(char **)option_field(row, settings));
    memory_free(settings);
    return ok ||
           error_prefix(error, "%s %s: the default of its key %s: ", rows->registry->role, rows->kind->name, row->name);
}

static bool check_rows(const struct rows *rows, size_t depth, struct error *error)
{
    size_t count = 0;
    for (const struct option_row *row = rows->first; row && row->name; row++, count++) {
        if (!check_name(rows, row, error) || !check_type(rows, row, error) || !check_default(rows, row, error))
            return false;
        if (row->type != OPTION_LIST || row->keys == rows->registry->keys)
            continue;
        const struct rows items = {rows->registry, rows->kind, row->keys, row->item_bytes};
        if (depth == OPTION_DEPTH)
            return refuse(rows, row->name, error, "holds lists in lists, more than %d deep", OPTION_DEPTH);
        if (!check_rows(&items, depth + 1, error))
            return false;
    }
    return count <= REGISTRY_KEYS || error_set(error, ERROR_USAGE, "%s %s has %zu keys: at most %d are possible",
                                               rows->registry->role, rows->kind->name, count, REGISTRY_KEYS);
}

bool registry_add(struct registry *registry, const struct kind *kind, struct error *error)
{
    size_t count = 0;
    while (registry->kinds[count])
        count++;
    if (!is_name(kind->name))
        return error_set(error, ERROR_USAGE,
                         "%s '%.40s': that cannot be a name: small letters, digits and underscores, a letter first, %d "
                         "at most",
                         registry->role, kind->name ? kind->name : "", REGISTRY_NAME);
    if (kind_find(registry, kind->name))
        return error_set(error, ERROR_USAGE, "%s %s: there is one of this name already: give it another one",
                         registry->role, kind->name);
    if (count == REGISTRY_MOST)
        return error_set(error, ERROR_USAGE, "%s %s: there are %d already, and no room for more", registry->role,
                         kind->name, REGISTRY_MOST);
    if (kind->keys && kind->keys->name && kind->settings_bytes == 0)
        return error_set(error, ERROR_USAGE, "%s %s has keys, but no settings for their values: settings_bytes is 0",
                         registry->role, kind->name);
    const struct rows rows = {registry, kind, kind->keys, kind->settings_bytes};
    if (!check_rows(&rows, 0, error))
        return false;
    registry->kinds[count] = kind;
    return true;
}
