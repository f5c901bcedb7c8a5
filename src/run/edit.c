#include "run/edit.h"

#include <string.h>

#define EDITS_MOST 5 /* that are told */

/* The line of `text` that begins with the same key; NULL: there is none. */
static const char *line_of_key(const char *text, const char *line, size_t key)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        if (strncmp(text, line, key) == 0)
            return text;
    return NULL;
}

static bool has_line(const char *text, const char *line, size_t length)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        if (strcspn(text, "\n") == length && strncmp(text, line, length) == 0)
            return true;
    return false;
}

/* "key: old -> new", or a line that has no old one. */
static void describe_line(const char *before, const char *line, size_t length, struct text *words)
{
    size_t indent = strspn(line, " "), key = strcspn(line, ":\n") + 1;
    const char *old = line[indent] == '-' || key > length ? NULL : line_of_key(before, line, key);
    text_append(words, "%.*s", (int)(old ? strcspn(old + indent, "\n") : 0), old ? old + indent : "");
    text_append(words, "%s%.*s", old ? " ->" : "", (int)(old ? length - key : length - indent),
                line + (old ? key : indent));
}

void edit_describe(const char *before, const char *now, struct text *words)
{
    size_t count = 0;
    for (const char *line = now; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        if (has_line(before, line, length) || count++ >= EDITS_MOST)
            continue;
        text_append(words, "%s", count > 1 ? "; " : "");
        describe_line(before, line, length, words);
    }
    if (count > EDITS_MOST)
        text_append(words, "; and %zu more", count - EDITS_MOST);
    if (count == 0)
        text_append(words, "it lacks something");
}
