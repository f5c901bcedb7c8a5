#include "run/metrics.h"

#include "base/file.h"
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

void metrics_init(struct metrics *metrics)
{
    *metrics = (struct metrics){.descriptor = -1};
}

static double written_unix(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec : 0;
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
    size_t kept = metrics_lines_keep(content, count, step, validates_again, &metrics->seen);
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
    metrics_lines_keep(content, count, UINT64_MAX, false, &seen);
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

/* What the file that has taken the place of ours lacks. */
static void carry(struct metrics *metrics, int descriptor)
{
    char *content, *rest;
    size_t count, length;
    struct error error;
    struct text missing;
    if (!file_read_own(metrics->path, METRICS_MOST, &content, &length, &error)) {
        log_warn("%s: lines may be missing: %s", metrics->path, error.text);
        return;
    }
    text_init(&missing);
    count = read_rest(metrics, &rest);
    metrics_lines_missing(rest, count, content, length, &missing);
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

enum metrics_fate metrics_keep(struct metrics *metrics)
{
    struct stat info;
    enum metrics_fate fate = METRICS_STAND;
    if (metrics->descriptor < 0)
        return fate;
    watchdog_begin(metrics->path, 0);
    if (fstat(metrics->descriptor, &info) == 0 && info.st_nlink == 0)
        fate = take_next(metrics);
    if (!metrics->is_lost)
        metrics->kept = length_of(metrics->descriptor);
    watchdog_end();
    return fate;
}

void metrics_sync(struct metrics *metrics)
{
    if (metrics->descriptor < 0)
        return;
    watchdog_begin(metrics->path, 0);
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
