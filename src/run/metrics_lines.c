#include "run/metrics_lines.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#define EVENT 32 /* bytes of the name of an event; a line of a step has none */

/* The value of "step" in one of our lines; a line without it is not ours to drop. */
static uint64_t line_step(const char *line)
{
    static const char key[] = "\"step\":";
    const char *found = strstr(line, key);
    return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

/* How old its life was when it wrote the line; 0: it does not tell. */
static double line_alive(const char *line)
{
    static const char key[] = "\"alive_s\":";
    const char *found = strstr(line, key);
    double alive_s = found ? strtod(found + strlen(key), NULL) : 0;
    return clock_is_plausible(alive_s) ? alive_s : 0;
}

/* A life begins with one of these. */
static bool is_begin(const char *line)
{
    return strncmp(line, "{\"event\":\"start\"", 16) == 0 || strncmp(line, "{\"event\":\"resume\"", 17) == 0;
}

static bool is_validation(const char *line)
{
    return strstr(line, "\"event\":\"validation\"") != NULL;
}

size_t metrics_lines_keep(char *bytes, size_t count, uint64_t step, bool validates_again, struct metrics_seen *seen)
{
    size_t kept = 0;
    char *line = bytes, *last = bytes + count;
    for (char *end; line < last; line = end + 1) {
        line += json_skip(line, (size_t)(last - line));
        end = memchr(line, '\n', (size_t)(last - line));
        end = end ? end : last;
        size_t length = (size_t)(end + 1 - line);
        *end = '\0';
        /* A power cut can leave zeros where lines should be. */
        bool whole = strlen(line) + 1 == length && json_is_whole(line);
        uint64_t its_step = whole ? line_step(line) : 0;
        bool keep = whole && its_step <= step && !(validates_again && its_step == step && is_validation(line));
        if (its_step > seen->step)
            seen->step = its_step;
        double alive_s = whole ? line_alive(line) : 0;
        if (alive_s > 0 || (whole && is_begin(line)))
            seen->alive_s = alive_s;
        *end = '\n';
        if (keep) {
            memmove(bytes + kept, line, length);
            kept += length;
        }
    }
    return kept;
}

/* Takes the next whole line of [*at, last): its break becomes a NUL. NULL: there is none. */
static char *next_line(char **at, char *last)
{
    char *line = *at, *end = line < last ? memchr(line, '\n', (size_t)(last - line)) : NULL;
    if (!end)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line;
}

/* Of these lines, which end in NULs, whether one tells of the same event in the same step. Who has edited a line has
 * left that as it was. */
static bool has_event(const char *lines, const char *last, const char *event, uint64_t step)
{
    for (const char *line = lines; line < last; line += strlen(line) + 1) {
        char its_event[EVENT] = "";
        json_text(line, "event", its_event, sizeof its_event);
        if (line_step(line) == step && strcmp(its_event, event) == 0)
            return true;
    }
    return false;
}

void metrics_lines_missing(char *rest, size_t count, char *content, size_t length, struct text *missing)
{
    struct metrics_seen seen = {0};
    if (length > 0 && content[length - 1] != '\n')
        text_append(missing, "\n");
    length = metrics_lines_keep(content, length, UINT64_MAX, false, &seen);
    char *line, *at = content;
    while (next_line(&at, content + length))
        ;
    for (char *next = rest; (line = next_line(&next, rest + count));) {
        char event[EVENT] = "";
        json_text(line, "event", event, sizeof event);
        uint64_t step = line_step(line);
        if (step > seen.step || (step == seen.step && !has_event(content, at, event, step)))
            text_append(missing, "%s\n", line);
    }
}
