#include "base/option.h"

#include "base/check.h"
#include "base/memory.h"

#include <string.h>

void *option_field(const struct option_row *option, const void *base)
{
    return (char *)base + option->offset;
}

static size_t *count_field(const struct option_row *option, const void *base)
{
    return (void *)((char *)base + option->count_offset);
}

size_t option_item_count(const struct option_row *option, const void *base)
{
    return *count_field(option, base);
}

void *option_item(const struct option_row *option, const void *base, size_t index)
{
    char *items;
    memcpy(&items, option_field(option, base), sizeof items);
    return items ? items + index * option->item_bytes : NULL;
}

void option_add_items(const struct option_row *option, void *base, size_t count)
{
    void *items = memory_need(count, option->item_bytes);
    memcpy(option_field(option, base), &items, sizeof items);
    *count_field(option, base) = count;
}

size_t option_elements(const struct option_row *option)
{
    return option->type == OPTION_PAIR ? 2 : 1;
}

/* ---- kinds ---- */

const struct kind *option_kind(const struct option_row *rows, const void *base)
{
    const struct kind *kind = NULL;
    if (rows->type == OPTION_KIND)
        memcpy(&kind, option_field(rows, base), sizeof kind);
    return kind;
}

void *option_settings(const struct option_row *rows, const void *base)
{
    void *settings;
    memcpy(&settings, (const char *)base + rows->settings_offset, sizeof settings);
    return settings;
}

void option_set_kind(const struct option_row *rows, void *base, const struct kind *kind)
{
    CHECK(rows->type == OPTION_KIND && !option_kind(rows, base), "a section gets its kind once");
    void *settings = kind->settings_bytes > 0 ? memory_need(1, kind->settings_bytes) : NULL;
    memcpy(option_field(rows, base), &kind, sizeof kind);
    memcpy((char *)base + rows->settings_offset, &settings, sizeof settings);
}

/* ---- the keys of a section ---- */

static void add_key(struct option_keys *keys, const struct option_row *option, void *base)
{
    CHECK(keys->count < OPTION_ROWS, "a section has at most OPTION_ROWS keys");
    keys->keys[keys->count++] = (struct option_key){option, base};
}

void option_keys_of(const struct option_row *rows, void *base, struct option_keys *keys)
{
    keys->count = 0;
    if (!base)
        return;
    const struct kind *kind = option_kind(rows, base);
    for (const struct option_row *option = rows; option->name; option++) {
        if (option->type != OPTION_KIND_KEYS) {
            if (!option->exists || option->exists(base))
                add_key(keys, option, base);
            continue;
        }
        void *settings = option_settings(rows, base);
        for (const struct option_row *own = kind ? kind->keys : NULL; own && own->name; own++)
            add_key(keys, own, settings);
    }
}

const struct option_key *option_find(const struct option_keys *keys, const char *name, size_t length)
{
    for (const struct option_key *key = keys->keys; key < keys->keys + keys->count; key++)
        if (strlen(key->option->name) == length && !memcmp(key->option->name, name, length))
            return key;
    return NULL;
}

bool option_is_counted(const struct option_row *option)
{
    return option->type == OPTION_NUMBERS || option->type == OPTION_REALS || option->type == OPTION_TEXTS ||
           option->type == OPTION_LIST;
}

/* Whether a section, which may be left out, says anything. */
static bool section_is_present(const struct option_row *rows, void *base)
{
    struct option_keys keys;
    bool present = false;
    if (rows->type == OPTION_KIND)
        return option_kind(rows, base) != NULL;
    option_keys_of(rows, base, &keys);
    for (size_t k = 0; k < keys.count; k++)
        present = present || option_is_present(&keys.keys[k]);
    return present;
}

bool option_is_present(const struct option_key *key)
{
    const struct option_row *option = key->option;
    if (!option->optional)
        return true;
    if (option_is_counted(option))
        return option_item_count(option, key->base) > 0;
    void *field = option_field(option, key->base);
    switch (option->type) {
    case OPTION_SECTION:
        return section_is_present(option->keys, field);
    case OPTION_UNSIGNED:
        return *(const uint64_t *)field != 0;
    case OPTION_CHOICE:
        return *(const unsigned *)field != 0;
    case OPTION_TEXT:
        return *(char *const *)field != NULL;
    case OPTION_KIND:
        return option_kind(option, key->base) != NULL;
    case OPTION_REAL:
        return *(const double *)field != option->absent;
    default:
        return true;
    }
}

const char *option_input(const struct option_key *key)
{
    return key->option->path == PATH_READ && key->option->type == OPTION_TEXT
               ? *(char *const *)option_field(key->option, key->base)
               : NULL;
}

/* ---- what a section owns ---- */

static void release_key(const struct option_row *option, void *base)
{
    void *field = option_field(option, base);
    if (option->type == OPTION_TEXT)
        memory_free(*(char **)field);
    if (option->type == OPTION_SECTION)
        option_release(option->keys, field);
    for (size_t i = 0; option->type == OPTION_LIST && i < option_item_count(option, base); i++)
        option_release(option->keys, option_item(option, base, i));
    for (size_t i = 0; option->type == OPTION_TEXTS && i < option_item_count(option, base); i++)
        memory_free(*(char **)option_item(option, base, i));
    if (option_is_counted(option))
        memory_free(option_item(option, base, 0));
}

void option_release_settings(const struct kind *kind, void *settings)
{
    for (const struct option_row *option = kind && settings ? kind->keys : NULL; option && option->name; option++)
        release_key(option, settings);
    memory_free(settings);
}

void option_release(const struct option_row *rows, void *base)
{
    for (const struct option_row *option = rows; option->name; option++) {
        if (option->type == OPTION_KIND)
            option_release_settings(option_kind(rows, base), option_settings(rows, base));
        else if (option->type != OPTION_KIND_KEYS)
            release_key(option, base);
    }
}

/* Makes what the copy shares with the settings its own. */
static void copy_key(const struct option_row *option, void *copy)
{
    if (option->type == OPTION_TEXT) {
        char **text = option_field(option, copy);
        *text = *text ? memory_text(*text) : NULL;
    } else if (option->type == OPTION_LIST) {
        memset(option_field(option, copy), 0, sizeof(void *));
        *count_field(option, copy) = 0;
    } else if (option->type == OPTION_NUMBERS || option->type == OPTION_REALS) {
        const void *numbers = option_item(option, copy, 0);
        size_t count = option_item_count(option, copy);
        option_add_items(option, copy, count);
        memcpy(option_item(option, copy, 0), numbers ? numbers : "", numbers ? count * option->item_bytes : 0);
    } else if (option->type == OPTION_TEXTS) {
        char *const *texts = option_item(option, copy, 0);
        option_add_items(option, copy, option_item_count(option, copy));
        for (size_t i = 0; i < option_item_count(option, copy); i++)
            *(char **)option_item(option, copy, i) = memory_text(texts[i]);
    }
}

void *option_copy_settings(const struct kind *kind, const void *settings)
{
    if (!settings)
        return NULL;
    void *copy = memory_need(1, kind->settings_bytes);
    memcpy(copy, settings, kind->settings_bytes);
    for (const struct option_row *option = kind->keys; option && option->name; option++)
        copy_key(option, copy);
    return copy;
}
