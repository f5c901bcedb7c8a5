#include "base/error.h"

#include "base/limit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The one place that says which kind of error ends the program how. */
static const struct {
    const char *word;
    enum exit_code code;
} kinds[] = {
    [ERROR_NONE] = {"none", EXIT_FAILED},          [ERROR_USAGE] = {"usage", EXIT_USAGE},
    [ERROR_NOT_FOUND] = {"not_found", EXIT_USAGE}, [ERROR_CORRUPT] = {"corrupt", EXIT_USAGE},
    [ERROR_VERSION] = {"version", EXIT_USAGE},     [ERROR_IO] = {"io", EXIT_FAILED},
    [ERROR_FULL] = {"full", EXIT_FAILED},          [ERROR_DENIED] = {"denied", EXIT_USAGE},
    [ERROR_BUSY] = {"busy", EXIT_USAGE},           [ERROR_LATE] = {"late", EXIT_SAVED},
    [ERROR_STATE] = {"state", EXIT_FAILED},        [ERROR_AGAIN] = {"again", EXIT_SAVED},
    [ERROR_MEMORY] = {"memory", EXIT_SAVED},
};
#define KINDS (sizeof kinds / sizeof *kinds)

enum exit_code error_exit_code(enum error_kind kind)
{
    return kinds[kind].code;
}

const char *error_kind_word(enum error_kind kind)
{
    return kinds[kind].word;
}

enum error_kind error_kind_of(const char *word)
{
    for (size_t kind = 0; kind < KINDS; kind++)
        if (strcmp(kinds[kind].word, word) == 0)
            return (enum error_kind)kind;
    return ERROR_NONE;
}

static void set_words(struct error *error, const char *format, va_list args, const char *tail)
{
    char words[sizeof error->text];
    /* Through a buffer of its own: an argument may be error->text itself. */
    vsnprintf(words, sizeof words, format, args);
    snprintf(error->text, sizeof error->text, "%.*s%s", (int)(sizeof error->text - strlen(tail) - 1), words, tail);
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_words(error, format, args, "");
    va_end(args);
    error->kind = kind;
    return false;
}

enum error_kind error_of_number(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return ERROR_NOT_FOUND;
    case EISDIR: /* what a path leads to is part of the request */
    case ELOOP:
    case ENAMETOOLONG:
        return ERROR_USAGE;
    case EACCES:
    case EPERM:
        return ERROR_DENIED;
    case ENOSPC:
    case EDQUOT:
        return ERROR_FULL;
    default:
        return ERROR_IO;
    }
}

bool error_is_refused(const struct error *error)
{
    return error->kind == ERROR_IO || error->kind == ERROR_FULL || error->kind == ERROR_DENIED;
}

bool error_errno(struct error *error, const char *format, ...)
{
    int number = errno;
    char tail[256], limit[LIMIT_WORDS];
    limit_words(number, limit);
    snprintf(tail, sizeof tail, ": %s%s", strerror(number), limit);
    va_list args;
    va_start(args, format);
    set_words(error, format, args, tail);
    va_end(args);
    error->kind = error_of_number(number);
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    char tail[sizeof error->text];
    memcpy(tail, error->text, sizeof tail);
    char head[512];
    va_list args;
    va_start(args, format);
    vsnprintf(head, sizeof head, format, args);
    va_end(args);
    snprintf(error->text, sizeof error->text, "%s%.*s", head, (int)(sizeof error->text - strlen(head) - 1), tail);
    return false;
}

void error_clear(struct error *error)
{
    error->kind = ERROR_NONE;
    error->text[0] = '\0';
}
