#include "base/registry.h"

#include "base/option.h"

#include <string.h>

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    return name && *name && strchr(letters, *name) && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

/* One of the rows from `rows` to before `end` (NULL: all of them) that has this name; NULL: there is none. */
static const struct option *row_named(const struct option *rows, const struct option *end, const char *name)
{
    for (; rows && rows != end && rows->name; rows++)
        if (rows->type != OPTION_KIND_KEYS && !strcmp(rows->name, name))
            return rows;
    return NULL;
}

static bool check_keys(const struct registry *registry, const struct kind *kind, struct error *error)
{
    size_t count = 0;
    for (const struct option *row = kind->keys; row && row->name; row++, count++) {
        if (!is_name(row->name))
            return error_set(error, ERROR_USAGE, "%s %s: '%s' cannot be the name of a key", registry->role, kind->name,
                             row->name);
        if (row->type == OPTION_SECTION || row->type == OPTION_KIND || row->type == OPTION_KIND_KEYS)
            return error_set(error, ERROR_USAGE, "%s %s: the key %s is a section: only values and lists are possible",
                             registry->role, kind->name, row->name);
        if (row_named(registry->keys, NULL, row->name))
            return error_set(error, ERROR_USAGE,
                             "%s %s: its key %s is called as one that they all have: give it another name",
                             registry->role, kind->name, row->name);
        if (row_named(kind->keys, row, row->name))
            return error_set(error, ERROR_USAGE, "%s %s: the key %s stands there twice", registry->role, kind->name,
                             row->name);
    }
    if (count > OPTION_ROWS / 2)
        return error_set(error, ERROR_USAGE, "%s %s has %zu keys: at most %d are possible", registry->role, kind->name,
                         count, OPTION_ROWS / 2);
    return count == 0 || kind->settings_bytes > 0 ||
           error_set(error, ERROR_USAGE, "%s %s has keys, but no settings for their values: settings_bytes is 0",
                     registry->role, kind->name);
}

bool registry_add(struct registry *registry, const struct kind *kind, struct error *error)
{
    size_t count = 0;
    while (registry->kinds[count])
        count++;
    if (!is_name(kind->name))
        return error_set(error, ERROR_USAGE,
                         "%s '%s': that cannot be a name: small letters, digits and underscores, a letter first",
                         registry->role, kind->name ? kind->name : "");
    if (kind_find(registry, kind->name))
        return error_set(error, ERROR_USAGE, "%s %s: there is one of this name already: give it another one",
                         registry->role, kind->name);
    if (count == REGISTRY_MOST)
        return error_set(error, ERROR_USAGE, "%s %s: there are %d already, and no room for more", registry->role,
                         kind->name, REGISTRY_MOST);
    if (!check_keys(registry, kind, error))
        return false;
    registry->kinds[count] = kind;
    return true;
}
