/* Prints the reference of all keys of a job file, as it stands in src/job/README.md, from the rows of the program. */
#include "base/check.h"
#include "job/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 120

/* Rows that were explained already, which others only refer to. */
static struct {
    const struct option_row *rows;
    char path[64];
} known[16];
static size_t known_count;

/* One item of a list, folded to the width of the page. Code in backquotes is not torn apart. */
static void print_item(size_t indent, const char *words)
{
    size_t column = indent + 2;
    printf("%*s-", (int)indent, "");
    for (const char *word = words; *word;) {
        size_t length = 0;
        bool is_code = false;
        for (; word[length] && (is_code || word[length] != ' '); length++)
            is_code ^= word[length] == '`';
        bool fits = column + length < COLUMNS;
        if (!fits) {
            printf("\n%*s", (int)indent + 1, "");
            column = indent + 2;
        }
        printf(" %.*s", (int)length, word);
        column += length + 1;
        word += length + (word[length] == ' ');
    }
    printf("\n");
}

static const char *type_words(const struct option_row *option)
{
    switch (option->type) {
    case OPTION_UNSIGNED:
        return "whole number, ";
    case OPTION_REAL:
        return option->low == -INFINITY ? "" : "number, ";
    case OPTION_PAIR:
        return "two numbers, as in [0.1, 0.9], ";
    case OPTION_NUMBERS:
        return "list of whole numbers, ";
    case OPTION_REALS:
        return "list of numbers, as in [1, 2.5], ";
    case OPTION_TEXTS:
        return "list of texts, as in [a, b]";
    case OPTION_TEXT:
        return option->path ? "path" : "text";
    case OPTION_BOOL:
        return "true or false";
    default:
        return "";
    }
}

/* The key at which these names were listed first; NULL: here. */
static const char *listed_at(const char *const *names, const char *key)
{
    static struct {
        const char *const *names;
        const char *key;
    } listed[16];
    static size_t count;
    for (size_t i = 0; i < count; i++)
        if (listed[i].names == names)
            return listed[i].key;
    if (names && count < sizeof listed / sizeof *listed) {
        listed[count].names = names;
        listed[count++].key = key;
    }
    return NULL;
}

static void append_type(const struct option_row *option, struct text *words)
{
    text_append(words, "%s", type_words(option));
    const char *key = listed_at(option->choices, option->name);
    if (key)
        text_append(words, "one of those of the first `%s`", key);
    else if (option->type != OPTION_TEXT && option->type != OPTION_TEXTS && option->type != OPTION_BOOL)
        option_allowed(option, words);
}

/* The default of each kind that a section of these rows may name. */
static void append_defaults(const struct option_row *option, const struct option_row *rows, struct text *words)
{
    for (size_t i = 0; rows->registry->kinds[i]; i++) {
        _Alignas(16) char section[512] = {0};
        memcpy(section + rows->offset, &rows->registry->kinds[i], sizeof rows->registry->kinds[i]);
        text_append(words, "%s%s (%s)", i ? ", " : "; default: ", option->default_rule(section),
                    rows->registry->kinds[i]->name);
    }
}

static void append_default(const struct option_row *option, const struct option_row *rows, struct text *words)
{
    if (option->default_key)
        text_append(words, "; default: `%s`", option->default_key);
    else if (option->default_rule)
        append_defaults(option, rows, words);
    else if (option->defaults[1])
        text_append(words, "; default: [%s, %s]", option->defaults[0], option->defaults[1]);
    else if (option->defaults[0])
        text_append(words, "; default: %s", option->defaults[0]);
    else
        text_append(words, option->optional ? "; none by default" : option->guess ? "; may be left out" : "; required");
}

static const char *resume_words(const struct option_row *option, enum option_resume section)
{
    static const char *const words[] = {"fixed", "on request", "another result", "free"};
    enum option_resume resume = option->resume > section ? option->resume : section;
    return option->resume_rule && resume != RESUME_FREE ? "depends" : words[resume];
}

static void print_value(size_t indent, const struct option_row *option, const struct option_row *rows,
                        enum option_resume section)
{
    struct text words;
    text_init(&words);
    text_append(&words, "`%s`: ", option->name);
    append_type(option, &words);
    append_default(option, rows, &words);
    text_append(&words, ". %c%s. *%s*",
                option->help[0] >= 'a' && option->help[0] <= 'z' ? option->help[0] - 32 : option->help[0],
                option->help + 1, resume_words(option, section));
    print_item(indent, text_bytes(&words));
    text_release(&words);
}

static void print_rows(size_t indent, const struct option_row *rows, const char *path, enum option_resume section);

static void print_list_or_section(size_t indent, const struct option_row *option, const char *path,
                                  enum option_resume section)
{
    struct text words;
    char full[64];
    const char *seen = NULL;
    enum option_resume resume = option->resume > section ? option->resume : section;
    snprintf(full, sizeof full, "%s%s%s", path, *path ? "." : "", option->name);
    for (size_t i = 0; i < known_count; i++)
        if (known[i].rows == option->keys)
            seen = known[i].path;
    text_init(&words);
    text_append(&words, "`%s`%s: %s%s", option->name, option->type == OPTION_LIST ? ", a list of sections" : "",
                option->help, option->optional ? "; none by default" : "");
    if (seen)
        text_append(&words, "; keys as in `%s`%s", seen, resume == RESUME_FREE ? ", all *free*" : "");
    print_item(indent, text_bytes(&words));
    text_release(&words);
    if (seen)
        return;
    CHECK(known_count < sizeof known / sizeof *known, "room for all sections");
    known[known_count].rows = option->keys;
    snprintf(known[known_count++].path, sizeof known->path, "%s", full);
    print_rows(indent + 2, option->keys, full, resume);
}

/* The kinds of a registry, each with its keys. */
static void print_kinds(size_t indent, const struct option_row *option, const char *path, enum option_resume section)
{
    for (size_t i = 0; option->registry->kinds[i]; i++) {
        const struct kind *kind = option->registry->kinds[i];
        struct text words;
        text_init(&words);
        text_append(&words, "`%s: %s`: %s", option->name, kind->name, kind->help);
        print_item(indent, text_bytes(&words));
        text_release(&words);
        if (kind->keys)
            print_rows(indent + 2, kind->keys, path, section);
    }
}

static void print_rows(size_t indent, const struct option_row *rows, const char *path, enum option_resume section)
{
    for (const struct option_row *option = rows; option->name; option++) {
        if (option->type == OPTION_SECTION || option->type == OPTION_LIST)
            print_list_or_section(indent, option, path, section);
        else if (option->type != OPTION_KIND_KEYS)
            print_value(indent, option, rows, section);
    }
    if (rows->type == OPTION_KIND)
        print_kinds(indent, rows, path, section);
}

int main(void)
{
    print_rows(0, job_options, "", RESUME_FIXED);
    return 0;
}
