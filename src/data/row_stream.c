#include "data/row_stream.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "data/csv_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10) /* at once: as much as a pipe holds */
#define ROW_MOST   ((size_t)64 << 20) /* bytes of a row */

void row_stream_release(struct row_stream *stream)
{
    free(stream->bytes);
    free(stream->header);
    *stream = (struct row_stream){0};
}

/* Waits for bytes, or for the end. */
static bool read_more(struct row_stream *stream, struct error *error)
{
    ssize_t got;
    if (!stream->all && stream->count - stream->whole > ROW_MOST)
        return error_set(error, ERROR_CORRUPT, "standard input: line %zu does not end: is it a CSV table?",
                         stream->line + stream->lines + 1);
    if (stream->capacity - stream->count < READ_BYTES) {
        size_t capacity = stream->capacity + (stream->capacity > READ_BYTES ? stream->capacity : READ_BYTES);
        char *bytes = realloc(stream->bytes, capacity + 1);
        if (!bytes)
            return error_set(error, ERROR_IO, "no memory for %zu bytes of standard input", capacity);
        stream->bytes = bytes;
        stream->capacity = capacity;
    }
    do
        got = read(STDIN_FILENO, stream->bytes + stream->count, READ_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(error, "cannot read standard input");
    stream->count += (size_t)got;
    stream->ended = got == 0;
    return true;
}

static bool is_break(char byte)
{
    return byte == '\n' || byte == '\r';
}

enum row { ROW_OPEN, ROW_WHOLE, ROW_BROKEN };

/* Goes to behind the end of a row. OPEN: it is not there yet, or what follows a CR may belong to it; BROKEN: it never
 * will be. */
static enum row skip_row(struct csv_scan *scan, bool ended)
{
    struct csv_field field;
    struct error ignored;
    bool last = false;
    while (!last)
        if (!csv_scan_field(scan, &field, &last, &ignored))
            return scan->at < scan->end ? ROW_BROKEN : ROW_OPEN;
    bool is_whole = is_break(scan->at[-1]) && (scan->at < scan->end || scan->at[-1] == '\n' || ended);
    return is_whole ? ROW_WHOLE : ROW_OPEN;
}

/* Finds the ends of the rows that are there now; of one alone, if the header is wanted. */
static void find_rows(struct row_stream *stream, const struct row_form *form, bool one)
{
    if (!stream->bytes) /* nothing was read yet */
        return;
    char *begin = stream->bytes + stream->whole;
    struct csv_scan scan = {.at = begin, .end = stream->bytes + stream->count, .separator = form->separator};
    size_t mark = strlen(UTF8_MARK);
    if (stream->line == 0 && stream->whole == 0 && stream->count >= mark && memcmp(begin, UTF8_MARK, mark) == 0)
        scan.at += mark;
    while (scan.at < scan.end) {
        size_t before = scan.line;
        const char *row = scan.at;
        enum row found = skip_row(&scan, stream->ended);
        if (found == ROW_OPEN)
            break;
        if (found == ROW_BROKEN) { /* the table has the words for it */
            stream->ended = true;
            stream->wanted = stream->whole = stream->count;
            break;
        }
        stream->whole = (size_t)(scan.at - stream->bytes);
        stream->lines += scan.line - before;
        if (is_break(*row))
            continue;
        stream->wanted = stream->whole;
        stream->kept = stream->lines;
        if (one)
            break;
    }
}

/* Takes the first `n` bytes out; those of `lines`. The caller owns them; NULL: no memory. */
static char *take(struct row_stream *stream, const char *before, size_t before_bytes, size_t n, size_t lines)
{
    char *text = malloc(before_bytes + n + 1);
    if (!text)
        return NULL;
    if (before_bytes > 0)
        memcpy(text, before, before_bytes);
    memcpy(text + before_bytes, stream->bytes, n);
    text[before_bytes + n] = '\0';
    memmove(stream->bytes, stream->bytes + n, stream->count - n);
    stream->count -= n;
    stream->whole -= stream->whole < n ? stream->whole : n;
    stream->lines -= stream->lines < lines ? stream->lines : lines;
    stream->line += lines;
    stream->wanted = stream->kept = 0;
    return text;
}

/* Reads on until there is a row, or nothing more. */
static bool wait_for_row(struct row_stream *stream, const struct row_form *form, bool one, struct error *error)
{
    find_rows(stream, form, one);
    while (!stream->ended && (stream->wanted == 0 || (stream->all && !one))) {
        if (!read_more(stream, error))
            return false;
        find_rows(stream, form, one);
    }
    return true;
}

static bool refuse_memory(size_t bytes, struct error *error)
{
    return error_set(error, ERROR_IO, "no memory for %zu bytes of standard input", bytes);
}

/* What is left at the end: a last row without a line break, or blank lines. */
static void end_rows(struct row_stream *stream)
{
    size_t end = stream->count;
    while (end > stream->wanted && is_break(stream->bytes[end - 1]))
        end--;
    if (stream->ended && end > stream->wanted)
        stream->wanted = stream->count;
}

bool row_stream_next(struct row_stream *stream, const struct row_form *form, char **text, size_t *bytes, size_t *line,
                     struct error *error)
{
    *text = NULL;
    if (form->has_header && !stream->header) {
        if (!wait_for_row(stream, form, true, error))
            return false;
        stream->header_bytes = stream->wanted;
        stream->header = take(stream, NULL, 0, stream->wanted, stream->kept);
        if (!stream->header)
            return refuse_memory(stream->header_bytes, error);
    }
    if (!wait_for_row(stream, form, false, error))
        return false;
    end_rows(stream);
    if (stream->wanted == 0 && stream->has_begun)
        return true;
    *line = stream->line + 1;
    *bytes = stream->header_bytes + stream->wanted;
    *text = take(stream, stream->header, stream->header_bytes, stream->wanted, stream->kept);
    stream->has_begun = true;
    return *text || refuse_memory(*bytes, error);
}
