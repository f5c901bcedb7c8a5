#include "base/error.h"

#include "base/limit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
    error->kind = number == ENOENT || number == ENOTDIR ? ERROR_NOT_FOUND : ERROR_IO;
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
