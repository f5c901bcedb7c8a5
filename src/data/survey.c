#include "data/survey.h"

#include "data/array.h"

#include <stdio.h>
#include <string.h>

void survey_init(struct survey *survey)
{
    *survey = (struct survey){.target_count = 0};
    text_init(&survey->facts);
    text_init(&survey->odd);
    text_init(&survey->guess);
    text_init(&survey->keys);
}

void survey_release(struct survey *survey)
{
    text_release(&survey->facts);
    text_release(&survey->odd);
    text_release(&survey->guess);
    text_release(&survey->keys);
}

/* Names from files are in it: what is not visible is escaped here, where the line ends are known. */
static void append_line(struct text *lines, const char *format, va_list args)
{
    struct text line;
    text_init(&line);
    text_append_list(&line, format, args);
    text_append_shown(lines, text_bytes(&line), line.length, BREAKS_NONE);
    text_append(lines, "\n");
    text_release(&line);
}

void survey_tell(struct survey *survey, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_line(&survey->facts, format, args);
    va_end(args);
}

void survey_wonder(struct survey *survey, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_line(&survey->odd, format, args);
    va_end(args);
}

void survey_guess(struct survey *survey, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_line(&survey->guess, format, args);
    va_end(args);
}

/* ---- keys ---- */

/* Whether YAML takes it for this text, and for nothing else. */
static bool is_plain(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/";
    static const char more[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/.-0123456789";
    return *text && strchr(letters, *text) && text[strspn(text, more)] == '\0' && strcmp(text, "null") != 0;
}

static void append_text(struct text *yaml, const char *text)
{
    if (is_plain(text))
        text_append(yaml, "%s", text);
    else
        text_append_json(yaml, text);
}

void survey_key(struct survey *survey, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_append(&survey->keys, ", %s: ", key);
    text_append_list(&survey->keys, format, args);
    va_end(args);
}

void survey_text(struct survey *survey, const char *key, const char *text)
{
    text_append(&survey->keys, ", %s: ", key);
    append_text(&survey->keys, text);
}

void survey_texts(struct survey *survey, const char *key, char *const *texts, size_t count)
{
    text_append(&survey->keys, ", %s: [", key);
    for (size_t i = 0; i < count; i++) {
        text_append(&survey->keys, "%s", i > 0 ? ", " : "");
        append_text(&survey->keys, texts[i]);
    }
    text_append(&survey->keys, "]");
}

/* ---- arrays ---- */

struct survey_array survey_array_of(const struct array *array, const char *name)
{
    struct survey_array told = {
        .name = name, .type = array_type_name(array->type), .is_whole = array->type < ARRAY_F16, .dims = array->dims};
    memcpy(told.size, array->size, sizeof told.size);
    return told;
}

void survey_tell_arrays(struct survey *survey, const char *where, const struct survey_array *arrays, size_t n)
{
    char shape[160];
    for (size_t i = 0; i < n; i++) {
        const struct survey_array *array = &arrays[i];
        text_sizes(array->dims, array->size, shape, sizeof shape);
        survey_tell(survey, "%s%s: %s %s", where ? "  " : "", array->name, array->type, shape);
    }
}
