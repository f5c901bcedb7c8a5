#include "job/job.h"
#include "job/options.h"

static void write_flow(const struct option *keys, const void *base, struct text *yaml);

/* On one line, whatever it is. */
static void write_inline(const struct option *option, const void *base, struct text *yaml)
{
    if (option->type == OPTION_SECTION) {
        write_flow(option->keys, option_field(option, base), yaml);
    } else if (option->type == OPTION_LIST) {
        text_append(yaml, "[");
        for (size_t i = 0; i < option_item_count(option, base); i++) {
            text_append(yaml, "%s", i ? ", " : "");
            write_flow(option->keys, option_item(option, base, i), yaml);
        }
        text_append(yaml, "]");
    } else {
        option_write(option, base, yaml);
    }
}

/* "{layer: residual, layers: [{layer: dense, units: 512}, {layer: relu}]}" */
static void write_flow(const struct option *keys, const void *base, struct text *yaml)
{
    const char *separator = "{";
    for (const struct option *option = keys; option->name; option++) {
        if (!option_present(keys, option, base))
            continue;
        text_append(yaml, "%s%s: ", separator, option->name);
        write_inline(option, base, yaml);
        separator = ", ";
    }
    text_append(yaml, "}");
}

static bool holds_sections(const struct option *keys)
{
    for (; keys->name; keys++)
        if (keys->type == OPTION_SECTION)
            return true;
    return false;
}

/* One line for each value, item of a list, and section without sections in it. */
static void write_block(const struct option *keys, const void *base, int indent, struct text *yaml)
{
    for (const struct option *option = keys; option->name; option++) {
        if (!option_present(keys, option, base))
            continue;
        text_append(yaml, "%*s%s:", indent, "", option->name);
        if (option->type == OPTION_LIST) {
            text_append(yaml, "\n");
            for (size_t i = 0; i < option_item_count(option, base); i++) {
                text_append(yaml, "%*s- ", indent + 2, "");
                write_flow(option->keys, option_item(option, base, i), yaml);
                text_append(yaml, "\n");
            }
        } else if (option->type == OPTION_SECTION && holds_sections(option->keys)) {
            text_append(yaml, "\n");
            write_block(option->keys, option_field(option, base), indent + 2, yaml);
        } else {
            text_append(yaml, " ");
            write_inline(option, base, yaml);
            text_append(yaml, "\n");
        }
    }
}

void job_write(const struct job *job, struct text *yaml)
{
    write_block(job_options, job, 0, yaml);
}
