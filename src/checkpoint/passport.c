#include "checkpoint/passport.h"

#include <string.h>

void passport_add(struct text *passport, const char *key, const char *value)
{
    text_append(passport, "%s: ", key);
    for (; *value; value++)
        text_append(passport, "%c", *value == '\n' ? ' ' : *value);
    text_append(passport, "\n");
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

/* The line of `passport` that has the same key as the line `like`, or NULL. A key ends at ": ". */
static const char *find(const char *passport, const char *like)
{
    size_t key = strcspn(like, ":\n") + 1;
    for (const char *line = passport; *line; line = next_line(line))
        if (strncmp(line, like, key) == 0)
            return line;
    return NULL;
}

static const char *value_of(const char *line, int *length)
{
    static const char none[] = "(none)";
    const char *colon = line ? strchr(line, ':') : NULL;
    const char *value = colon && colon[1] == ' ' ? colon + 2 : none;
    *length = (int)strcspn(value, "\n");
    return value;
}

static void add_change(struct text *changes, const char *key_line, const char *saved, const char *now)
{
    int key = (int)strcspn(key_line, ":\n"), saved_length, now_length;
    const char *saved_value = value_of(saved, &saved_length), *now_value = value_of(now, &now_length);
    if (saved_length != now_length || strncmp(saved_value, now_value, (size_t)now_length) != 0)
        text_append(changes, "%.*s: %.*s -> %.*s\n", key, key_line, saved_length, saved_value, now_length, now_value);
}

void passport_compare(const char *saved, const char *now, struct text *changes)
{
    for (const char *line = saved; *line; line = next_line(line))
        add_change(changes, line, line, find(now, line));
    for (const char *line = now; *line; line = next_line(line))
        if (!find(saved, line))
            add_change(changes, line, NULL, line);
}

bool passport_merge(char *const *passports, size_t count, struct text *merged)
{
    bool agree = true;
    for (const char *line = passports[0]; *line; line = next_line(line)) {
        text_append(merged, "%.*s:", (int)strcspn(line, ":\n"), line);
        for (size_t i = 0; i < count; i++) {
            int length, seen_length;
            const char *value = value_of(find(passports[i], line), &length);
            bool seen = false;
            for (size_t before = 0; before < i && !seen; before++) {
                const char *other = value_of(find(passports[before], line), &seen_length);
                seen = seen_length == length && strncmp(other, value, (size_t)length) == 0;
            }
            if (!seen)
                text_append(merged, "%s%.*s", i ? " | " : " ", length, value);
            agree = agree && (seen || i == 0);
        }
        text_append(merged, "\n");
    }
    return agree;
}
