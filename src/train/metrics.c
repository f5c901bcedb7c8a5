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

#define EVENT        32                 /* bytes of the name of an event; a line of a step has none */
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
    return ok;
}

/* 0: it cannot be told. */
static uint64_t length_of(int descriptor)
{
    struct stat info;
    return fstat(descriptor, &info) == 0 ? (uint64_t)info.st_size : 0;
}

bool metrics_open(struct metrics *metrics, const char *path, uint64_t step, bool validates_again, struct error *error)
{
    metrics_init(metrics);
    if (!drop_lines(metrics, path, step, validates_again, error))
        return false;
    if (!file_open(path, FILE_APPEND, &metrics->descriptor, error))
        return false;
    metrics->path = memory_text(path);
    metrics->kept = length_of(metrics->descriptor);
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

/* 0, or why not all of it could be written: a disk that has room for a part of a line takes that first, and tells its
 * reason only then. *put: bytes. */
static int put_bytes(int descriptor, const struct text *text, size_t *put)
{
    for (*put = 0; *put < text->length;) {
        ssize_t count = write(descriptor, text->bytes + *put, text->length - *put);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? errno : EIO; /* it would go on like that for ever */
        *put += (size_t)count;
    }
    return 0;
}

/* The last bytes of the file, which are our own. By its length of now: others may have changed it meanwhile. */
static bool take_back(int descriptor, size_t bytes)
{
    uint64_t length = length_of(descriptor);
    return bytes == 0 || (length >= bytes && ftruncate(descriptor, (off_t)(length - bytes)) == 0);
}

/* Some whole lines, or nothing of them. */
static void put(struct metrics *metrics, int descriptor, const struct text *lines)
{
    size_t done;
    char limit[LIMIT_WORDS];
    int reason = put_bytes(descriptor, lines, &done);
    if (reason == 0)
        return;
    bool is_clean = take_back(descriptor, done);
    limit_words(reason, limit);
    if (!is_clean || !metrics->complained)
        log_warn("%s: lines are missing from here on: %s%s", metrics->path, strerror(reason), limit);
    metrics->complained = true;
}

void metrics_write(struct metrics *metrics, const struct text *line)
{
    if (metrics->descriptor < 0)
        return;
    struct text whole;
    text_init(&whole);
    text_append(&whole, "%s\n", text_bytes(line));
    watchdog_begin(metrics->path, 0);
    put(metrics, metrics->descriptor, &whole);
    watchdog_end();
    text_release(&whole);
}

/* What the file that is held has got since it had its name for certain; the caller owns *bytes. */
static size_t read_rest(const struct metrics *metrics, char **bytes)
{
    uint64_t length = length_of(metrics->descriptor), kept = metrics->kept;
    size_t count = length > kept ? (size_t)(length - kept) : 0;
    *bytes = memory_need(count, 1);
    ssize_t got = file_read_at(metrics->descriptor, *bytes, count, kept);
    if (got < 0)
        log_warn("%s: lines may be missing: %s", metrics->path, strerror(errno));
    return got > 0 ? (size_t)got : 0;
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

/* The lines of `rest` that come after all that the file has; who has replaced it may have copied some of them. */
static void find_missing(char *rest, size_t count, char *content, size_t length, uint64_t step, struct text *missing)
{
    char *line, *at = content;
    while (next_line(&at, content + length))
        ;
    for (char *next = rest; (line = next_line(&next, rest + count));) {
        char event[EVENT] = "";
        json_text(line, "event", event, sizeof event);
        uint64_t its_step = line_step(line);
        if (its_step > step || (its_step == step && !has_event(content, at, event, step)))
            text_append(missing, "%s\n", line);
    }
}

/* What the file that has taken the place of ours lacks. */
static void carry(struct metrics *metrics, int descriptor)
{
    char *content, *rest;
    size_t count, length;
    struct error error;
    struct text missing;
    struct metrics_seen seen = {0};
    if (!file_read_own(metrics->path, METRICS_MOST, &content, &length, &error)) {
        log_warn("%s: lines may be missing: %s", metrics->path, error.text);
        return;
    }
    text_init(&missing);
    if (length > 0 && content[length - 1] != '\n')
        text_append(&missing, "\n");
    length = keep_lines(content, length, UINT64_MAX, false, &seen);
    count = read_rest(metrics, &rest);
    find_missing(rest, count, content, length, seen.step, &missing);
    put(metrics, descriptor, &missing);
    text_release(&missing);
    memory_free(rest);
    free(content);
}

/* The directory of the file, and the file that has its name now, or a new one. */
static bool open_again(const struct metrics *metrics, int *descriptor, struct error *error)
{
    char parent[PATH_MAX];
    file_parent(metrics->path, parent);
    return file_make_directories(parent, error) && file_open(metrics->path, FILE_APPEND, descriptor, error);
}

/* The file that is held has lost its name. */
static enum metrics_fate take_next(struct metrics *metrics)
{
    struct error error;
    int descriptor;
    if (!open_again(metrics, &descriptor, &error)) {
        if (!metrics->is_lost)
            log_warn("%s was deleted while the job runs: %s", metrics->path, error.text);
        metrics->is_lost = true;
        return METRICS_STAND;
    }
    bool is_new = length_of(descriptor) == 0;
    if (is_new)
        log_warn("%s was deleted while the job runs; it is begun anew", metrics->path);
    else
        log_warn("%s was replaced by another file while the job runs; its lines go on in that one", metrics->path);
    if (!is_new)
        carry(metrics, descriptor);
    close(metrics->descriptor);
    metrics->descriptor = descriptor;
    metrics->is_lost = false;
    if (!file_sync_parent(metrics->path, &error))
        log_warn("%s", error.text);
    return is_new ? METRICS_ANEW : METRICS_REPLACED;
}

static enum metrics_fate keep(struct metrics *metrics)
{
    struct stat info;
    enum metrics_fate fate = METRICS_STAND;
    if (fstat(metrics->descriptor, &info) == 0 && info.st_nlink == 0)
        fate = take_next(metrics);
    if (!metrics->is_lost)
        metrics->kept = length_of(metrics->descriptor);
    return fate;
}

enum metrics_fate metrics_keep(struct metrics *metrics)
{
    if (metrics->descriptor < 0)
        return METRICS_STAND;
    watchdog_begin(metrics->path, 0);
    enum metrics_fate fate = keep(metrics);
    watchdog_end();
    return fate;
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
