#include "train/metrics.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define METRICS_MOST ((size_t)64 << 30) /* bytes of a file: a line for each of a billion steps is less */

void metrics_init(struct metrics *metrics)
{
    *metrics = (struct metrics){.descriptor = -1};
}

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

static double written_unix(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec : 0;
}

static bool is_validation(const char *line)
{
    return strstr(line, "\"event\":\"validation\"") != NULL;
}

/* Moves the lines to keep to the front of `bytes` and returns their length; *seen: what all of them tell. A last line
 * without its break, which is perhaps all that is missing, gets one: behind the bytes is room for it. */
static size_t keep_lines(char *bytes, size_t count, uint64_t step, bool validates_again, struct metrics_seen *seen)
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

/* A file that belongs to somebody else of a group that shares the run: its lines go on in one of our own. */
static bool is_foreign(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 && info.st_uid != geteuid();
}

static bool drop_lines(struct metrics *metrics, const char *path, uint64_t step, bool validates_again,
                       struct error *error)
{
    char *content;
    size_t count;
    metrics->seen.unix_s = written_unix(path);
    if (!file_read_own(path, METRICS_MOST, &content, &count, error)) {
        bool absent = error->kind == ERROR_NOT_FOUND;
        if (absent)
            error_clear(error);
        return absent;
    }
    bool is_ended = count == 0 || content[count - 1] == '\n';
    size_t kept = keep_lines(content, count, step, validates_again, &metrics->seen);
    bool ok = (kept == count && is_ended && !is_foreign(path)) || file_replace(path, content, kept, error);
    free(content);
    metrics->bytes = kept;
    return ok;
}

bool metrics_open(struct metrics *metrics, const char *path, uint64_t step, bool validates_again, struct error *error)
{
    metrics_init(metrics);
    if (!drop_lines(metrics, path, step, validates_again, error))
        return false;
    if (!file_open(path, FILE_APPEND, &metrics->descriptor, error))
        return false;
    metrics->path = memory_text(path);
    /* A file whose name is lost in a power cut has lost its lines, however often it was synced. */
    return file_sync_parent(path, error);
}

struct metrics_seen metrics_look(const char *path)
{
    struct metrics_seen seen = {.unix_s = written_unix(path)};
    struct error error;
    char *content;
    size_t count;
    if (!file_read_own(path, METRICS_MOST, &content, &count, &error))
        return (struct metrics_seen){0};
    keep_lines(content, count, UINT64_MAX, false, &seen);
    free(content);
    return seen;
}

void metrics_close(struct metrics *metrics)
{
    if (metrics->descriptor >= 0 && !file_close(metrics->descriptor))
        log_warn("%s: the last lines may be missing: %s", metrics->path, strerror(errno));
    memory_free(metrics->path);
    metrics_init(metrics);
}

void metrics_write(struct metrics *metrics, const struct text *line)
{
    if (metrics->descriptor < 0)
        return;
    struct text whole;
    text_init(&whole);
    text_append(&whole, "%s\n", text_bytes(line));
    ssize_t put;
    watchdog_begin(metrics->path, 0);
    do
        put = write(metrics->descriptor, whole.bytes, whole.length);
    while (put < 0 && errno == EINTR);
    watchdog_end();
    if (put == (ssize_t)whole.length) {
        metrics->bytes += whole.length;
    } else {
        int reason = put < 0 ? errno : ENOSPC;
        bool cut = ftruncate(metrics->descriptor, (off_t)metrics->bytes) != 0;
        char limit[LIMIT_WORDS];
        limit_words(reason, limit);
        if (cut || !metrics->complained)
            log_warn("%s: lines are missing from here on: %s%s", metrics->path, strerror(reason), limit);
        metrics->complained = true;
    }
    text_release(&whole);
}

/* The directory of the file, the file, and its name on disk. */
static bool begin_anew(struct metrics *metrics, struct error *error)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", metrics->path);
    char *slash = strrchr(parent, '/');
    if (slash && slash > parent) {
        *slash = '\0';
        if (!file_make_directories(parent, error))
            return false;
    }
    int fd;
    if (!file_open(metrics->path, FILE_APPEND, &fd, error))
        return false;
    close(metrics->descriptor);
    metrics->descriptor = fd;
    metrics->bytes = 0;
    return file_sync_parent(metrics->path, error);
}

/* Whether the file was begun anew. */
static bool keep(struct metrics *metrics)
{
    struct stat info;
    struct error error = {0};
    if (fstat(metrics->descriptor, &info) || info.st_nlink > 0)
        return false;
    bool ok = begin_anew(metrics, &error), is_told = metrics->is_lost && !ok;
    metrics->is_lost = !ok;
    if (is_told)
        return false;
    log_warn("%s was deleted while the job runs%s%s", metrics->path, ok ? "; it is begun anew" : ": ",
             ok ? "" : error.text);
    return ok;
}

bool metrics_keep(struct metrics *metrics)
{
    if (metrics->descriptor < 0)
        return false;
    watchdog_begin(metrics->path, 0);
    bool is_new = keep(metrics);
    watchdog_end();
    return is_new;
}

void metrics_sync(struct metrics *metrics)
{
    if (metrics->descriptor < 0)
        return;
    watchdog_begin(metrics->path, 0);
    keep(metrics);
    if (fsync(metrics->descriptor))
        log_warn("%s: cannot sync: %s", metrics->path, strerror(errno));
    watchdog_end();
}

void metrics_number(struct text *line, const char *key, double value)
{
    if (isfinite(value))
        text_append(line, ",\"%s\":%.9g", key, value);
    else
        text_append(line, ",\"%s\":null", key);
}
