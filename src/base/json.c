#include "base/json.h"

#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r");
}

/* Behind the closing quote of the string that begins at p; NULL if it does not end. */
static const char *skip_string(const char *p)
{
    for (p++; *p != '"'; p++)
        if (*p == '\0' || (*p == '\\' && *++p == '\0'))
            return NULL;
    return p + 1;
}

/* Behind the value at p; NULL if it does not end. */
static const char *skip_value(const char *p)
{
    int depth = 0;
    while (*p) {
        if (*p == '"') {
            if (!(p = skip_string(p)))
                return NULL;
            continue;
        }
        if (depth == 0 && (*p == ',' || *p == '}'))
            return p;
        depth += *p == '{' || *p == '[';
        depth -= *p == '}' || *p == ']';
        p++;
    }
    return NULL;
}

size_t json_skip(const char *bytes, size_t count)
{
    size_t skipped = 0, mark = strlen(UTF8_MARK);
    for (size_t more = 1; more > 0; skipped += more) {
        bool is_mark = count - skipped >= mark && memcmp(bytes + skipped, UTF8_MARK, mark) == 0;
        more = is_mark ? mark : skipped < count && bytes[skipped] == '\0';
    }
    return skipped;
}

bool json_is_whole(const char *line)
{
    const char *p = skip_space(line);
    size_t depth = 0;
    if (*p != '{')
        return false;
    do {
        if (*p == '"') {
            if (!(p = skip_string(p)))
                return false;
            continue;
        }
        depth += *p == '{' || *p == '[';
        depth -= *p == '}' || *p == ']';
        if (!*p++)
            return false;
    } while (depth > 0);
    return !*skip_space(p);
}

/* The value of the key; NULL if there is none. */
static const char *find(const char *p, const char *key)
{
    size_t length = strlen(key);
    p = skip_space(p);
    if (*p != '{')
        return NULL;
    do {
        const char *name = skip_space(p + 1);
        const char *end = *name == '"' ? skip_string(name) : NULL;
        if (!end || *(p = skip_space(end)) != ':')
            return NULL;
        const char *value = skip_space(p + 1);
        if ((size_t)(end - name) == length + 2 && memcmp(name + 1, key, length) == 0)
            return value;
        p = skip_value(value);
    } while (p && *p == ',');
    return NULL;
}

bool json_number(const char *line, const char *key, double *value)
{
    const char *found = find(line, key);
    char *end;
    if (!found || !strchr("-0123456789", *found))
        return false;
    double number = strtod(found, &end);
    if (end == found || !strchr(",} \t\r", *end))
        return false;
    *value = number;
    return true;
}

bool json_bool(const char *line, const char *key, bool *value)
{
    const char *found = find(line, key);
    bool yes = found && strncmp(found, "true", 4) == 0, no = found && strncmp(found, "false", 5) == 0;
    if (yes || no)
        *value = yes;
    return yes || no;
}

/* The character of an escape at p ("\n", "\u000a"), and how long that is; 0: it is none. */
static size_t unescape(const char *p, uint32_t *character)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (p[1] == 'u') {
        char *end, digits[5] = "";
        snprintf(digits, sizeof digits, "%.4s", p + 2);
        *character = (uint32_t)strtoul(digits, &end, 16);
        return end == digits + 4 ? 6 : 0;
    }
    const char *name = p[1] ? strchr(names, p[1]) : NULL;
    *character = name ? (uint32_t)(unsigned char)values[name - names] : 0;
    return name ? 2 : 0;
}

bool json_text(const char *line, const char *key, char *text, size_t bytes)
{
    const char *p = find(line, key);
    size_t used = 0;
    if (!p || *p != '"' || !skip_string(p))
        return false;
    for (p++; *p != '"';) {
        char encoded[UTF8_BYTES];
        uint32_t character;
        size_t taken = *p == '\\' ? unescape(p, &character) : utf8_decode(p, strnlen(p, UTF8_BYTES), &character);
        if (taken == 0) { /* not ours: as it stands */
            taken = 1;
            character = '?';
        }
        size_t length = utf8_encode(character, encoded);
        if (used + length + 1 > bytes)
            break;
        memcpy(text + used, encoded, length);
        used += length;
        p += taken;
    }
    text[used] = '\0';
    return true;
}
