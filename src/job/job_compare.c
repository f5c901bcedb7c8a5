#include "job/job.h"
#include "job/options.h"

#include <stdio.h>
#include <string.h>

struct comparison {
    job_difference *found; /* of all differences; NULL: they are judged */
    void *context;
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
    if (comparison->found) {
        comparison->found(comparison->context, path, before, after);
        return;
    }
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

static void value_text(const struct option_key *key, struct text *value)
{
    text_init(value);
    if (key)
        option_write(key->option, key->base, value);
    else
        text_append(value, JOB_NO_VALUE);
}

static void compare_sections(struct comparison *comparison, const struct option_row *rows, bool bare,
                             enum option_resume section_resume, const char *path, void *before, void *after);

/* A list of sections; NULL: it is not there. */
static void compare_items(struct comparison *comparison, enum option_resume resume, const char *path,
                          const struct option_key *was, const struct option_key *is)
{
    const struct option_row *rows = was ? was->option->keys : is->option->keys; /* same_key: of both */
    size_t old_count = was ? option_item_count(was->option, was->base) : 0;
    size_t new_count = is ? option_item_count(is->option, is->base) : 0;
    for (size_t i = 0; i < old_count || i < new_count; i++) {
        struct text item;
        text_init(&item);
        text_append(&item, "%s.%zu", path, i);
        compare_sections(comparison, rows, false, resume, text_bytes(&item),
                         i < old_count ? option_item(was->option, was->base, i) : NULL,
                         i < new_count ? option_item(is->option, is->base, i) : NULL);
        text_release(&item);
    }
}

static void compare_values(struct comparison *comparison, enum option_resume resume, const char *path,
                           const struct option_key *was, const struct option_key *is)
{
    /* As text: it is exact, and what a user sees as equal is equal. */
    struct text old_value, new_value;
    value_text(was, &old_value);
    value_text(is, &new_value);
    if (strcmp(text_bytes(&old_value), text_bytes(&new_value)))
        report(comparison, resume, path, text_bytes(&old_value), text_bytes(&new_value));
    text_release(&old_value);
    text_release(&new_value);
}

/* A key in two sections; NULL: one of them has not got it. */
struct pair {
    const struct option_key *was, *is;
};

static enum option_resume resume_of(struct pair key, enum option_resume section)
{
    const struct option_row *option = key.was ? key.was->option : key.is->option;
    bool same = key.was && key.is && key.was->option == key.is->option;
    enum option_resume own = option->resume;
    if (option->resume_rule)
        own = option->resume_rule(same ? key.was->base : NULL, same ? key.is->base : NULL);
    return own > section ? own : section;
}

static const struct option_key *if_present(const struct option_key *key)
{
    return key && option_is_present(key) ? key : NULL;
}

static void compare_key(struct comparison *comparison, enum option_resume section_resume, const char *path,
                        struct pair key)
{
    const struct option_row *option = key.was ? key.was->option : key.is->option;
    const struct option_key *was = if_present(key.was), *is = if_present(key.is);
    enum option_resume resume = resume_of(key, section_resume);
    if (!was && !is)
        return;
    if (option->type == OPTION_LIST)
        compare_items(comparison, resume, path, was, is);
    else if (option->type == OPTION_SECTION)
        compare_sections(comparison, option->keys, option->bare, resume, path,
                         was ? option_field(was->option, was->base) : NULL,
                         is ? option_field(is->option, is->base) : NULL);
    else
        compare_values(comparison, resume, path, was, is);
}

/* The key of the same name, if it holds the same: kinds may use a name for different things. */
static const struct option_key *same_key(const struct option_keys *keys, const struct option_key *key)
{
    const struct option_key *found = option_find(keys, key->option->name, strlen(key->option->name));
    return found && found->option->type == key->option->type && found->option->keys == key->option->keys ? found : NULL;
}

/* The keys of two sections, each once, in the order of both. */
struct walk {
    struct option_keys old, new;
    size_t i, j; /* those behind which the walk stands */
};

/* NULL: that were all. */
static const struct option_key *next_key(struct walk *walk)
{
    const struct option_key *old = walk->i < walk->old.count ? &walk->old.keys[walk->i] : NULL;
    const struct option_key *new = walk->j < walk->new.count ? &walk->new.keys[walk->j] : NULL;
    if (old && !same_key(&walk->new, old)) {
        walk->i++;
        return old;
    }
    walk->j += new != NULL;
    if (new && !same_key(&walk->old, new))
        return new;
    walk->i += old != NULL;
    return old;
}

/* before, after: NULL if the section is not there. */
static void compare_sections(struct comparison *comparison, const struct option_row *rows, bool bare,
                             enum option_resume section_resume, const char *path, void *before, void *after)
{
    struct walk walk = {0};
    option_keys_of(rows, before, &walk.old);
    option_keys_of(rows, after, &walk.new);
    for (const struct option_key *key; (key = next_key(&walk));) {
        struct text place;
        text_init(&place);
        if (bare && key->option->type == OPTION_KIND)
            text_append(&place, "%s", path);
        else
            text_append(&place, "%s%s%s", path, *path ? "." : "", key->option->name);
        compare_key(comparison, section_resume, text_bytes(&place),
                    (struct pair){same_key(&walk.old, key), same_key(&walk.new, key)});
        text_release(&place);
    }
}

/* The row with this name, whatever the kind. */
static const struct option_row *row_named(const struct option_row *rows, const char *name, size_t length)
{
    while (rows->name && (strlen(rows->name) != length || memcmp(rows->name, name, length)))
        rows++;
    return rows->name ? rows : NULL;
}

static bool is_requestable(const struct option_row *rows, const char *path)
{
    size_t length = strcspn(path, ".");
    const struct option_row *option = row_named(rows, path, length);
    if (!option || !path[length])
        return option && option->resume == RESUME_REQUESTED;
    return option->type == OPTION_SECTION && is_requestable(option->keys, path + length + 1);
}

/* Appends the paths of all keys that may change on request. None is in a list. */
static void list_requestable(const struct option_row *rows, const char *path, struct text *words)
{
    for (const struct option_row *option = rows; option->name; option++) {
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

void job_differences(const struct job *one, const struct job *other, job_difference *found, void *context)
{
    struct comparison comparison = {.found = found, .context = context};
    compare_sections(&comparison, job_options, false, RESUME_FIXED, "", (struct job *)one, (struct job *)other);
}

bool job_continues(const struct job *saved, const struct job *now, const struct job_allowed *allowed,
                   struct text *changes, struct error *error)
{
    struct comparison comparison = {.allowed = allowed};
    compare_sections(&comparison, job_options, false, RESUME_FIXED, "", (struct job *)saved, (struct job *)now);
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
