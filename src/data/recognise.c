#include "data/recognise.h"

#include "base/pattern.h"
#include "base/text.h"
#include "data/content.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

void candidates_all(struct candidates *candidates)
{
    *candidates = (struct candidates){.count = 0};
    for (const struct kind *const *kind = dataset_registry.kinds; *kind; kind++) {
        bool reads = false;
        for (const struct option_row *row = (*kind)->keys; row && row->name; row++)
            reads = reads || row->path == PATH_READ;
        if (reads)
            candidates->classes[candidates->count++] = (const struct dataset_class *)*kind;
    }
}

/* ---- by the file ---- */

struct beginning {
    uint8_t bytes[CONTENT_PEEK]; /* inflated */
    size_t count;
    bool is_directory;
};

static bool look(struct beginning *beginning, const char *path, struct error *error)
{
    struct stat info;
    if (stat(path, &info))
        return error_errno(error, "cannot look at %s", path);
    beginning->is_directory = S_ISDIR(info.st_mode);
    if (beginning->is_directory)
        return true;
    if (!S_ISREG(info.st_mode)) /* a pipe must not keep us waiting */
        return error_set(error, ERROR_USAGE, "%s is no regular file", path);
    return content_peek(path, beginning->bytes, sizeof beginning->bytes, &beginning->count, error);
}

/* Whether the name, but for .gz, ends in this way. */
static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), wanted = strlen(ending);
    if (length > 3 && strcasecmp(path + length - 3, ".gz") == 0)
        length -= 3;
    return length > wanted && strncasecmp(path + length - wanted, ending, wanted) == 0;
}

static bool is_called_so(const struct dataset_class *class, const char *path)
{
    for (const char *const *ending = class->endings; ending && *ending; ending++)
        if (ends_with(path, *ending))
            return true;
    return false;
}

/* How sure a class is, from 0 on. */
static int sureness(const struct dataset_class *class, const struct beginning *beginning, const char *path)
{
    enum recognition knows = FORMAT_MAYBE;
    if (class->knows)
        knows = class->knows(beginning->is_directory ? NULL : beginning->bytes, beginning->count);
    return knows == FORMAT_YES           ? 3
           : knows == FORMAT_NO          ? 0
           : is_called_so(class, path)   ? 2
           : class->is_known_by_its_name ? 0
                                         : 1;
}

/* What a file of no format is, as far as its bytes tell. */
static const char *guess_kind(const struct beginning *beginning)
{
    static const struct content_magic others[] = {
        {"PAR1", 4, "a Parquet file: save the table as CSV"},
        {"\xff\xfe", 2, "a text in UTF-16: iconv -f UTF-16 -t UTF-8 OLD >NEW"},
        {"\xfe\xff", 2, "a text in UTF-16: iconv -f UTF-16 -t UTF-8 OLD >NEW"},
        {0},
    };
    const char *known = content_kind(beginning->bytes, beginning->count);
    known = known ? known : content_find(others, beginning->bytes, beginning->count);
    if (beginning->count == 0)
        return "empty";
    return known || !content_is_single_bytes(beginning->bytes, beginning->count)
               ? known
               : "a text, but not in UTF-8: iconv -f LATIN1 -t UTF-8 OLD >NEW, if it is Latin-1";
}

/* Leaves those that are surest. */
static void keep_surest(struct candidates *candidates, const struct beginning *beginning, const char *path)
{
    struct candidates all = *candidates;
    int best = 1;
    candidates->count = 0;
    for (size_t i = 0; i < all.count; i++) {
        int sure = sureness(all.classes[i], beginning, path);
        if (sure > best)
            candidates->count = 0;
        best = sure > best ? sure : best;
        if (sure == best)
            candidates->classes[candidates->count++] = all.classes[i];
    }
    candidates->are_sure = best == 3;
    candidates->else_is = candidates->count == 0 ? guess_kind(beginning) : NULL;
}

bool candidates_look(struct candidates *candidates, const char *path, struct error *error)
{
    struct beginning beginning = {.count = 0};
    struct pattern pattern;
    if (!pattern_find(&pattern, path, error))
        return false;
    bool ok = look(&beginning, pattern.paths[0], error);
    if (ok)
        keep_surest(candidates, &beginning, pattern.paths[0]);
    pattern_release(&pattern);
    return ok;
}

const struct dataset_class *candidates_one(const struct candidates *candidates, const char *path, struct error *error)
{
    if (candidates->count == 1)
        return candidates->classes[0];
    struct text words;
    text_init(&words);
    for (size_t i = 0; i < candidates->count; i++)
        text_append(&words, "%s%s",
                    i == 0                      ? ""
                    : i + 1 < candidates->count ? ", "
                                                : " or ",
                    candidates->classes[i]->kind.name);
    if (candidates->count > 0)
        error_set(error, ERROR_USAGE, "%s may be of format %s: say which", path, text_bytes(&words));
    else
        error_set(error, ERROR_USAGE, "%s is of no format that is known by its content: %s%s", path,
                  candidates->else_is ? "it is " : "if it holds tokens: format: tokens",
                  candidates->else_is ? candidates->else_is : "");
    text_release(&words);
    return NULL;
}

/* ---- by the keys ---- */

static const struct option_row *row_named(const struct dataset_class *class, const char *name)
{
    for (const struct option_row *row = class->kind.keys; row && row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static bool is_given(const struct option_given *given, const char *name)
{
    for (size_t i = 0; i < given->count; i++)
        if (strcmp(given->keys[i], name) == 0)
            return true;
    return false;
}

/* Whether it has all these keys, and needs no other one. */
static bool has_keys(const struct dataset_class *class, const struct option_given *given)
{
    for (size_t i = 0; i < given->count; i++)
        if (!row_named(class, given->keys[i]))
            return false;
    for (const struct option_row *row = class->kind.keys; row && row->name; row++)
        if (!row->optional && !row->defaults[0] && !row->default_rule && !row->default_key &&
            !is_given(given, row->name))
            return false;
    return true;
}

/* What the keys give the class to read. */
static const char *path_of(const struct dataset_class *class, const struct option_given *given)
{
    for (size_t i = 0; i < given->count; i++) {
        const struct option_row *row = row_named(class, given->keys[i]);
        if (row && row->path == PATH_READ && given->texts[i])
            return given->texts[i];
    }
    return NULL;
}

/* No format has these keys: says of which one the file is, if that can be seen. */
static void refuse_keys(const struct candidates *all, const struct option_given *given, struct error *error)
{
    struct candidates seen = *all;
    struct error ignored;
    const char *path = NULL;
    for (size_t i = 0; !path && i < all->count; i++)
        path = path_of(all->classes[i], given);
    bool can_look = path && candidates_look(&seen, path, &ignored), ok = can_look && seen.count == 1;
    if (can_look && seen.count == 0) {
        (void)candidates_one(&seen, path, error);
        error_prefix(error, "missing; ");
        return;
    }
    error_set(error, ERROR_USAGE, "missing%s%s%s%s%s", given->count > 0 ? ", and no format has just these keys" : "",
              ok ? "; " : "", ok ? path : "", ok ? " looks like format: " : "", ok ? seen.classes[0]->kind.name : "");
}

const struct kind *recognise_keys(const struct option_given *given, struct error *error)
{
    struct candidates all, fitting = {.count = 0};
    candidates_all(&all);
    for (size_t i = 0; i < all.count; i++)
        if (has_keys(all.classes[i], given))
            fitting.classes[fitting.count++] = all.classes[i];
    if (fitting.count == 0) {
        refuse_keys(&all, given, error);
        return NULL;
    }
    if (fitting.count == 1)
        return &fitting.classes[0]->kind;
    const char *path = path_of(fitting.classes[0], given);
    path = path ? path : "";
    if (!candidates_look(&fitting, path, error)) {
        error_prefix(error, "missing, and the file does not tell: ");
        return NULL;
    }
    if (fitting.count == 0) {
        refuse_keys(&all, given, error);
        return NULL;
    }
    const struct dataset_class *one = candidates_one(&fitting, path, error);
    return one ? &one->kind : NULL;
}
