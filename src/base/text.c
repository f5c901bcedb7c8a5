#include "base/text.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *text)
{
    memset(text, 0, sizeof *text);
}

void text_release(struct text *text)
{
    free(text->bytes);
    text_init(text);
}

void text_append(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int count = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(count >= 0, "a format that vsnprintf does not take");
    size_t need = text->length + (size_t)count + 1;
    if (need > text->capacity) {
        text->capacity = need < 2 * text->capacity ? 2 * text->capacity : need;
        text->bytes = realloc(text->bytes, text->capacity);
        CHECK(text->bytes, "out of memory for a text");
    }
    vsnprintf(text->bytes + text->length, (size_t)count + 1, format, again);
    va_end(again);
    text->length += (size_t)count;
}

/* Length of the valid UTF-8 sequence of more than one byte at `value`; 0 if there is none (RFC 3629). */
static int utf8_length(const char *value)
{
    const unsigned char *b = (const unsigned char *)value;
    int length = b[0] >= 0xC2 && b[0] < 0xE0   ? 2
                 : b[0] >= 0xE0 && b[0] < 0xF0 ? 3
                 : b[0] >= 0xF0 && b[0] < 0xF5 ? 4
                                               : 0;
    for (int i = 1; i < length; i++)
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xF0 && b[1] < 0x90);
    bool beyond = (b[0] == 0xED && b[1] >= 0xA0) || (b[0] == 0xF4 && b[1] >= 0x90);
    return overlong || beyond ? 0 : length;
}

void text_append_json(struct text *text, const char *value)
{
    text_append(text, "\"");
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        int length = utf8_length(value);
        if (length > 0) {
            text_append(text, "%.*s", length, value);
            value += length - 1;
            continue;
        }
        if (c == '"' || c == '\\')
            text_append(text, "\\%c", c);
        else if (c < 0x20)
            text_append(text, "\\u%04x", c);
        else if (c >= 0x80) /* a path may hold any byte, JSON may not */
            text_append(text, "\\ufffd");
        else
            text_append(text, "%c", c);
    }
    text_append(text, "\"");
}

const char *text_bytes(const struct text *text)
{
    return text->bytes ? text->bytes : "";
}
