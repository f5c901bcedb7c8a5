#include "job/job.h"
#include "job/options.h"

#include <stdio.h>
#include <string.h>

struct comparison {
    const struct job *saved, *now;
    const struct job_allowed *allowed;
    struct text permitted; /* complete lines */
    struct text forbidden; /* the same, as many as fit an error */
    size_t left_out;       /* forbidden ones that do not */
};

#define REFUSAL "this job contradicts the checkpoint:"
#define FORBIDDEN_BYTES                                                                                                \
    (sizeof((struct error *)0)->text - sizeof REFUSAL - sizeof "\n  ... and 18446744073709551615 more")

static bool is_allowed(const struct job_allowed *allowed, const char *path)
{
    for (size_t i = 0; i < allowed->count; i++)
        if (strcmp(allowed->keys[i], path) == 0)
            return true;
    return false;
}

static void report(struct comparison *comparison, enum option_resume resume, const char *path, const char *before,
                   const char *after)
{
    static const char *const remarks[] = {
        [RESUME_REQUESTED] = " (" JOB_CHANGES_RESULT "; allowed by --allow-change)",
        [RESUME_TUNABLE] = " (" JOB_CHANGES_RESULT ")",
        [RESUME_FREE] = "",
    };
    bool refused = resume == RESUME_REQUESTED && !is_allowed(comparison->allowed, path);
    if (resume != RESUME_FIXED && !refused) {
        text_append(&comparison->permitted, "%s: %s -> %s%s\n", path, before, after, remarks[resume]);
        return;
    }
    struct text line;
    text_init(&line);
    text_append(&line, "\n  %s: %s in the checkpoint, %s here", path, before, after);
    if (refused)
        text_append(&line, " (would be permitted by --allow-change %s)", path);
    if (comparison->left_out || comparison->forbidden.length + line.length >= FORBIDDEN_BYTES)
        comparison->left_out++;
    else
        text_append(&comparison->forbidden, "%s", text_bytes(&line));
    text_release(&line);
}

/* The row for the option's name in this section; NULL if the key has no value there. */
static const struct option *row_of(const struct option *keys, const struct option *option, const void *base)
{
    const struct option *row = base ? option_find(keys, option->name, strlen(option->name), option_kind(keys, base))
                                    : NULL;
    return row && option_present(keys, row, base) ? row : NULL;
}

static void value_text(const struct option *option, const void *base, struct text *value)
{
    text_init(value);
    if (option)
        option_write(option, base, value);
    else
        text_append(value, "(none)");
}

static void compare_keys(struct comparison *comparison, const struct option *keys, enum option_resume section_resume,
                         const char *path, const void *before, const void *after);

/* before, after: the sections that hold the list; NULL: it is not there. */
static void compare_items(struct comparison *comparison, const struct option *list, enum option_resume resume,
                          const char *path, const void *before, const void *after)
{
    size_t old_count = option_item_count(list, before), new_count = option_item_count(list, after);
    for (size_t i = 0; i < old_count || i < new_count; i++) {
        struct text item;
        text_init(&item);
        text_append(&item, "%s.%zu", path, i);
        compare_keys(comparison, list->keys, resume, text_bytes(&item),
                     i < old_count ? option_item(list, before, i) : NULL,
                     i < new_count ? option_item(list, after, i) : NULL);
        text_release(&item);
    }
}

static void compare_key(struct comparison *comparison, const struct option *keys, const struct option *option,
                        enum option_resume resume, const char *path, const void *before, const void *after)
{
    const struct option *was = row_of(keys, option, before), *is = row_of(keys, option, after);
    if (option->type == OPTION_LIST) {
        compare_items(comparison, option, resume, path, was ? before : NULL, is ? after : NULL);
        return;
    }
    if (option->type == OPTION_SECTION) {
        compare_keys(comparison, option->keys, resume, path, was ? option_field(was, before) : NULL,
                     is ? option_field(is, after) : NULL);
        return;
    }
    /* As text: it is exact, and what a user sees as equal is equal. */
    struct text old_value, new_value;
    value_text(was, before, &old_value);
    value_text(is, after, &new_value);
    if (strcmp(text_bytes(&old_value), text_bytes(&new_value)))
        report(comparison, resume, path, text_bytes(&old_value), text_bytes(&new_value));
    text_release(&old_value);
    text_release(&new_value);
}

/* Rows of one name are one key. */
static bool is_repeated(const struct option *keys, const struct option *option)
{
    for (; keys < option; keys++)
        if (!strcmp(keys->name, option->name))
            return true;
    return false;
}

static void compare_keys(struct comparison *comparison, const struct option *keys, enum option_resume section_resume,
                         const char *path, const void *before, const void *after)
{
    for (const struct option *option = keys; option->name; option++) {
        if (is_repeated(keys, option))
            continue;
        enum option_resume resume = option->resume_rule ? option->resume_rule(comparison->saved, comparison->now)
                                                        : option->resume;
        struct text key;
        text_init(&key);
        text_append(&key, "%s%s%s", path, *path ? "." : "", option->name);
        compare_key(comparison, keys, option, resume > section_resume ? resume : section_resume, text_bytes(&key),
                    before, after);
        text_release(&key);
    }
}

static bool is_requestable(const struct option *keys, const char *path)
{
    size_t length = strcspn(path, ".");
    const struct option *option = option_find(keys, path, length, 0);
    if (!option || !path[length])
        return option && option->resume == RESUME_REQUESTED;
    return option->type == OPTION_SECTION && is_requestable(option->keys, path + length + 1);
}

/* Appends the paths of all keys that may change on request. None is in a list. */
static void list_requestable(const struct option *keys, const char *path, struct text *words)
{
    for (const struct option *option = keys; option->name; option++) {
        struct text key;
        text_init(&key);
        text_append(&key, "%s%s%s", path, *path ? "." : "", option->name);
        if (option->type == OPTION_SECTION)
            list_requestable(option->keys, text_bytes(&key), words);
        else if (option->resume == RESUME_REQUESTED)
            text_append(words, "%s%s", words->length ? ", " : "", text_bytes(&key));
        text_release(&key);
    }
}

bool job_check_allowed(const struct job_allowed *allowed, struct error *error)
{
    for (size_t i = 0; i < allowed->count; i++) {
        if (is_requestable(job_options, allowed->keys[i]))
            continue;
        char shown[64];
        struct text words;
        option_show(allowed->keys[i], shown, sizeof shown);
        text_init(&words);
        list_requestable(job_options, "", &words);
        error_set(error, ERROR_USAGE, "--allow-change %s: not a key that changes on request; those are %s", shown,
                  text_bytes(&words));
        text_release(&words);
        return false;
    }
    return true;
}

bool job_continues(const struct job *saved, const struct job *now, const struct job_allowed *allowed,
                   struct text *changes, struct error *error)
{
    struct comparison comparison = {.saved = saved, .now = now, .allowed = allowed};
    compare_keys(&comparison, job_options, RESUME_FIXED, "", saved, now);
    bool ok = comparison.forbidden.length == 0 && comparison.left_out == 0;
    if (ok)
        text_append(changes, "%s", text_bytes(&comparison.permitted));
    else if (comparison.left_out)
        error_set(error, ERROR_USAGE, REFUSAL "%s\n  ... and %zu more", text_bytes(&comparison.forbidden),
                  comparison.left_out);
    else
        error_set(error, ERROR_USAGE, REFUSAL "%s", text_bytes(&comparison.forbidden));
    text_release(&comparison.permitted);
    text_release(&comparison.forbidden);
    return ok;
}
