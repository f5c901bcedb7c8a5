#include "data/csv_scan.h"

#include "base/memory.h"
#include "base/option.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

char csv_separator(const char *text)
{
    if (strcmp(text, "\\t") == 0)
        return '\t';
    bool is_one = strlen(text) == 1 && (unsigned char)*text < 0x7F;
    /* What a number, a word or a line may have would end it there. */
    bool is_possible = is_one && (*text == '\t' || (*text > ' ' && !strchr("\"'+-._", *text)));
    bool is_word = (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
    return is_possible && !is_word ? *text : 0;
}

static bool is_break(char byte)
{
    return byte == '\n' || byte == '\r';
}

void csv_scan_init(struct csv_scan *scan, const char *path, const char *bytes, size_t count, char separator)
{
    size_t mark = strlen(UTF8_MARK);
    *scan = (struct csv_scan){.path = path, .at = bytes, .end = bytes + count, .separator = separator, .line = 1};
    if (count >= mark && memcmp(bytes, UTF8_MARK, mark) == 0)
        scan->at += mark;
    while (scan->end > scan->at && is_break(scan->end[-1]))
        scan->end--;
}

bool csv_scan_done(const struct csv_scan *scan)
{
    return scan->at == scan->end;
}

/* Blanks around a field; a tab that separates is none. */
static bool is_blank(const struct csv_scan *scan, char byte)
{
    return byte == ' ' || (byte == '\t' && scan->separator != '\t');
}

static void skip_blanks(struct csv_scan *scan)
{
    while (scan->at < scan->end && is_blank(scan, *scan->at))
        scan->at++;
}

static void skip_break(struct csv_scan *scan)
{
    bool is_pair = *scan->at == '\r' && scan->at + 1 < scan->end && scan->at[1] == '\n';
    scan->at += is_pair ? 2 : 1;
    scan->line++;
}

/* Behind its opening quote, to behind the closing one. */
static bool scan_quoted(struct csv_scan *scan, struct csv_field *field, struct error *error)
{
    field->bytes = scan->at;
    while (scan->at < scan->end) {
        if (is_break(*scan->at)) {
            skip_break(scan);
        } else if (*scan->at != '"') {
            scan->at++;
        } else if (scan->at + 1 < scan->end && scan->at[1] == '"') {
            field->doubled = true;
            scan->at += 2;
        } else {
            field->length = (size_t)(scan->at++ - field->bytes);
            return true;
        }
    }
    return error_set(error, ERROR_CORRUPT, "%s: line %zu: the quote that opens a field there is never closed",
                     scan->path, field->line);
}

static void scan_bare(struct csv_scan *scan, struct csv_field *field)
{
    field->bytes = scan->at;
    while (scan->at < scan->end && *scan->at != scan->separator && !is_break(*scan->at))
        scan->at++;
    const char *end = scan->at;
    while (end > field->bytes && is_blank(scan, end[-1]))
        end--;
    field->length = (size_t)(end - field->bytes);
}

bool csv_scan_field(struct csv_scan *scan, struct csv_field *field, bool *last, struct error *error)
{
    skip_blanks(scan);
    *field = (struct csv_field){.line = scan->line};
    field->quoted = scan->at < scan->end && *scan->at == '"';
    if (field->quoted) {
        scan->at++;
        if (!scan_quoted(scan, field, error))
            return false;
        skip_blanks(scan);
    } else {
        scan_bare(scan, field);
    }
    *last = scan->at == scan->end || is_break(*scan->at);
    if (!*last && *scan->at != scan->separator) {
        bool may_separate = *scan->at != '\0' && strchr(",;\t|", *scan->at);
        return error_set(
            error, ERROR_CORRUPT, "%s: line %zu: something stands behind the quote that closes a field; %s%s%s",
            scan->path, scan->line,
            may_separate ? "is the separator another one? (" : "a quote inside of a quoted field is written twice",
            may_separate && scan->keys ? scan->keys : "", may_separate ? "separator)" : "");
    }
    if (!*last)
        scan->at++;
    else if (scan->at < scan->end)
        skip_break(scan);
    return true;
}

char *csv_field_text(const struct csv_field *field)
{
    char *text = memory_need(field->length + 1, 1);
    size_t length = 0;
    for (size_t i = 0; i < field->length; i++) {
        text[length++] = field->bytes[i];
        i += field->doubled && field->bytes[i] == '"';
    }
    return text;
}

void csv_field_show(const struct csv_field *field, char *shown, size_t bytes)
{
    struct csv_field begin = *field;
    if (begin.length > 2 * bytes) /* the rest would not be shown, even if all of this are doubled quotes */
        begin.length = 2 * bytes;
    char *text = csv_field_text(&begin);
    option_show(text, shown, bytes);
    memory_free(text);
}

static bool is_one_of(const struct csv_field *field, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == field->length && strncasecmp(words[i], field->bytes, field->length) == 0)
            return true;
    return false;
}

/* How many digits stand at the beginning of the text. */
static size_t digits(const char *text, const char *end)
{
    const char *at = text;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return (size_t)(at - text);
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point. strtod takes more: hexadecimal,
 * words, blanks. */
static enum csv_number judge(const struct csv_field *field)
{
    const char *at = field->bytes, *end = at + field->length;
    at += at < end && (*at == '+' || *at == '-');
    size_t whole = digits(at, end), behind = 0;
    at += whole;
    if (at == end)
        return whole > 0 ? CSV_WHOLE : CSV_WORD;
    if (*at == '.') {
        behind = digits(at + 1, end);
        at += 1 + behind;
    }
    if (whole + behind == 0)
        return CSV_WORD;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        size_t exponent = digits(at, end);
        if (exponent == 0)
            return CSV_WORD;
        at += exponent;
    }
    return at == end ? CSV_REAL : CSV_WORD;
}

enum csv_number csv_field_number(const struct csv_field *field, locale_t locale, double *value)
{
    static const char *const missing[] = {"", "na", "n/a", "nan", "null"};
    static const char *const infinite[] = {"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"};
    enum csv_number number = judge(field);
    if (number == CSV_WORD) {
        if (is_one_of(field, missing, sizeof missing / sizeof *missing))
            return CSV_MISSING;
        return is_one_of(field, infinite, sizeof infinite / sizeof *infinite) ? CSV_BEYOND : CSV_WORD;
    }
    /* Behind it stands what ends a field, and no number: it ends there for strtod as well. */
    *value = strtod_l(field->bytes, NULL, locale);
    return isfinite((float)*value) ? number : CSV_BEYOND;
}
