#include "base/say.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static size_t breaks_behind(const char *format)
{
    size_t length = strlen(format), breaks = 0;
    while (breaks < length && format[length - breaks - 1] == '\n')
        breaks++;
    return breaks;
}

static void put(FILE *stream, enum text_breaks breaks, const char *format, va_list args)
{
    struct text words, shown;
    text_init(&words);
    text_init(&shown);
    text_append_list(&words, format, args);
    size_t before = strspn(format, "\n"), behind = format[before] ? breaks_behind(format) : 0;
    text_append(&shown, "%.*s", (int)before, words.bytes);
    text_append_shown(&shown, words.bytes + before, words.length - before - behind, breaks);
    text_append(&shown, "%s", words.bytes + words.length - behind);
    fwrite(shown.bytes, 1, shown.length, stream);
    text_release(&words);
    text_release(&shown);
}

void say_list(const char *format, va_list args)
{
    put(stdout, BREAKS_NONE, format, args);
}

void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_list(format, args);
    va_end(args);
}

void say_error_list(const char *format, va_list args)
{
    fflush(stdout);
    put(stderr, BREAKS_INDENTED, format, args);
}

void say_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_error_list(format, args);
    va_end(args);
}
