#include "base/text.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <math.h>
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
    va_list args;
    va_start(args, format);
    text_append_list(text, format, args);
    va_end(args);
}

/* Room for so many bytes more, and a NUL. */
static void make_room(struct text *text, size_t count)
{
    size_t need = text->length + count + 1;
    if (need <= text->capacity)
        return;
    text->capacity = need < 2 * text->capacity ? 2 * text->capacity : need;
    text->bytes = realloc(text->bytes, text->capacity);
    if (!text->bytes)
        memory_none(text->capacity, "a text");
}

void text_append_bytes(struct text *text, const char *bytes, size_t count)
{
    make_room(text, count);
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = '\0';
}

void text_append_list(struct text *text, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int count = vsnprintf(NULL, 0, format, args);
    CHECK(count >= 0, "a format that vsnprintf does not take");
    make_room(text, (size_t)count);
    vsnprintf(text->bytes + text->length, (size_t)count + 1, format, again);
    va_end(again);
    text->length += (size_t)count;
}

void text_append_json(struct text *text, const char *value)
{
    text_append(text, "\"");
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        uint32_t character;
        size_t length = utf8_decode(value, strnlen(value, UTF8_BYTES), &character);
        if (c == '"' || c == '\\')
            text_append(text, "\\%c", c);
        else if (length == 0) /* a path may hold any byte, JSON may not */
            text_append(text, "\\ufffd");
        else if (!utf8_is_visible(character) && character <= 0xFFFF)
            text_append(text, "\\u%04x", character);
        else
            text_append(text, "%.*s", (int)length, value);
        value += length > 1 ? length - 1 : 0;
    }
    text_append(text, "\"");
}

/* A character that is not to stand as it is: its bytes, if they are none. */
static void append_hidden(struct text *text, uint32_t character, size_t length, char byte)
{
    if (length == 1 && character == '\n')
        text_append(text, "\\n");
    else if (length < 2)
        text_append(text, "\\x%02x", (unsigned char)byte);
    else
        text_append(text, character > 0xFFFF ? "\\U%08x" : "\\u%04x", character);
}

void text_append_shown(struct text *text, const char *bytes, size_t count, enum text_breaks breaks)
{
    size_t plain = 0; /* bytes in front that stand as they are */
    for (size_t i = 0, length; i < count; i += length) {
        uint32_t character = 0;
        size_t valid = utf8_decode(bytes + i, count - i, &character);
        bool goes_on = bytes[i] == '\n' && breaks == BREAKS_INDENTED && i + 1 < count && bytes[i + 1] == ' ';
        length = valid > 0 ? valid : 1;
        if ((valid > 0 && utf8_is_visible(character)) || goes_on)
            continue;
        text_append(text, "%.*s", (int)(i - plain), bytes + plain);
        append_hidden(text, character, valid, bytes[i]);
        plain = i + length;
    }
    text_append(text, "%.*s", (int)(count - plain), bytes + plain);
}

void text_amount(uint64_t bytes, char text[TEXT_AMOUNT])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(text, TEXT_AMOUNT, "%u B", (unsigned)bytes);
        return;
    }
    double amount = (double)bytes / 1000;
    size_t unit = 0;
    for (; amount >= 999.95; unit++) /* what would be printed as 1000.0 */
        amount /= 1000;
    snprintf(text, TEXT_AMOUNT, "%.1f %s", amount, units[unit]);
}

void text_append_seconds(struct text *text, double seconds)
{
    static const struct {
        double below, unit;
        const char *name;
    } scales[] = {{1, 1e-3, "ms"}, {120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INFINITY, 86400, "d"}};
    size_t i = seconds == 0 ? 1 : 0;
    while (scales[i].below < INFINITY && !(seconds < scales[i].below))
        i++;
    double value = seconds / scales[i].unit;
    /* Two digits, and all before the point. */
    text_append(text, value < 9.95 ? "%.2g %s" : "%.0f %s", value, scales[i].name);
}

const char *text_bytes(const struct text *text)
{
    return text->bytes ? text->bytes : "";
}

void text_sizes(size_t dims, const size_t *sizes, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t d = 0; d < dims && used < bytes; d++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%zu", d ? "x" : "", sizes[d]);
}
