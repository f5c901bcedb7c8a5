#include "job/job.h"
#include "job/options.h"

static void write_flow(const struct option_row *rows, void *base, struct text *yaml);

/* Whether the section says no more than the name of its kind, and may be given so. */
static bool is_bare(const struct option_row *option, void *base)
{
    struct option_keys keys;
    option_keys_of(option->keys, option_field(option, base), &keys);
    return option->bare && keys.count == 1;
}

/* On one line, whatever it is. */
static void write_inline(const struct option_key *key, struct text *yaml)
{
    const struct option_row *option = key->option;
    if (option->type == OPTION_SECTION && is_bare(option, key->base)) {
        option_write(option->keys, option_field(option, key->base), yaml);
    } else if (option->type == OPTION_SECTION) {
        write_flow(option->keys, option_field(option, key->base), yaml);
    } else if (option->type == OPTION_LIST) {
        text_append(yaml, "[");
        for (size_t i = 0; i < option_item_count(option, key->base); i++) {
            text_append(yaml, "%s", i ? ", " : "");
            write_flow(option->keys, option_item(option, key->base, i), yaml);
        }
        text_append(yaml, "]");
    } else {
        option_write(option, key->base, yaml);
    }
}

/* "{layer: residual, layers: [{layer: dense, units: 512}, {layer: relu}]}" */
static void write_flow(const struct option_row *rows, void *base, struct text *yaml)
{
    struct option_keys keys;
    option_keys_of(rows, base, &keys);
    const char *separator = "{";
    for (const struct option_key *key = keys.keys; key < keys.keys + keys.count; key++) {
        if (!option_is_present(key))
            continue;
        text_append(yaml, "%s%s: ", separator, key->option->name);
        write_inline(key, yaml);
        separator = ", ";
    }
    text_append(yaml, "}");
}

static bool holds_sections(const struct option_row *rows)
{
    for (; rows->name; rows++)
        if (rows->type == OPTION_SECTION)
            return true;
    return false;
}

static void write_items(const struct option_key *key, int indent, struct text *yaml)
{
    for (size_t i = 0; i < option_item_count(key->option, key->base); i++) {
        text_append(yaml, "%*s- ", indent, "");
        write_flow(key->option->keys, option_item(key->option, key->base, i), yaml);
        text_append(yaml, "\n");
    }
}

/* One line for each value, item of a list, and section without sections in it. */
static void write_block(const struct option_row *rows, void *base, int indent, struct text *yaml)
{
    struct option_keys keys;
    option_keys_of(rows, base, &keys);
    for (const struct option_key *key = keys.keys; key < keys.keys + keys.count; key++) {
        const struct option_row *option = key->option;
        if (!option_is_present(key))
            continue;
        text_append(yaml, "%*s%s:", indent, "", option->name);
        if (option->type == OPTION_LIST) {
            text_append(yaml, "\n");
            write_items(key, indent + 2, yaml);
        } else if (option->type == OPTION_SECTION && holds_sections(option->keys)) {
            text_append(yaml, "\n");
            write_block(option->keys, option_field(option, key->base), indent + 2, yaml);
        } else {
            text_append(yaml, " ");
            write_inline(key, yaml);
            text_append(yaml, "\n");
        }
    }
}

void job_write(const struct job *job, struct text *yaml)
{
    write_block(job_options, (struct job *)job, 0, yaml);
}
