/* Rows of standard input, in the pieces in which a pipe may bring them. In front of the line "----": "h" if the first
 * row is a header, the separator, and letters, in turn the sizes of the pieces: "a" is 1 byte, "b" 2, ... Behind it, or
 * without it, the table. Whatever the pieces are, all of it is given once, in order, cut between rows, and each time
 * with the header and the number of its first line. */
#include "base/check.h"
#include "base/memory.h"
#include "data/csv_table.h"
#include "data/row_stream.h"
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECES 200 /* a pipe holds 256, if it is asked to */

struct trial {
    struct row_form form;
    const uint8_t *sizes;
    size_t size_count;
    const char *table;
    size_t bytes;
};

/* What has been given. */
struct seen {
    size_t bytes;  /* of the table, from its beginning on */
    size_t fields; /* of rows other than the header */
};

static bool is_break(char byte)
{
    return byte == '\n' || byte == '\r';
}

static size_t piece_of(const struct trial *trial, size_t number)
{
    size_t letter = trial->sizes[number % trial->size_count];
    return letter >= 'a' && letter <= 'z' ? letter - 'a' + 1 : 1 + 16 * letter;
}

/* Standard input becomes a pipe that gives one piece at each reading. What does not fit into it is cut off. */
static void fill_pipe(struct trial *trial)
{
    int ends[2];
    size_t done = 0;
    CHECK(pipe2(ends, O_DIRECT | O_CLOEXEC) == 0 && fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0, "there are pipes");
    for (size_t i = 0; i < PIECES && done < trial->bytes; i++) {
        size_t size = piece_of(trial, i), rest = trial->bytes - done;
        size = size < rest ? size : rest;
        CHECK(write(ends[1], trial->table + done, size) == (ssize_t)size, "a piece is written at once");
        done += size;
    }
    trial->bytes = done;
    CHECK(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO, "standard input is the pipe");
    close(ends[0]);
    close(ends[1]);
}

static size_t count_lines(const char *bytes, size_t count)
{
    size_t lines = 0;
    for (size_t i = 0; i < count; i++)
        lines += bytes[i] == '\n' || (bytes[i] == '\r' && (i + 1 == count || bytes[i + 1] != '\n'));
    return lines;
}

/* Those of lines that are not blank. SIZE_MAX: they cannot be read to the end. */
static size_t count_fields(const char *text, size_t bytes, char separator, bool is_begin)
{
    struct csv_scan scan;
    struct csv_field field;
    struct error error;
    size_t count = 0;
    bool last;
    csv_scan_init(&scan, "rows", text, bytes, separator);
    if (!is_begin) /* only there may be a mark of the table's */
        scan.at = text;
    while (!csv_scan_done(&scan)) {
        bool is_blank = is_break(*scan.at);
        do {
            if (!csv_scan_field(&scan, &field, &last, &error))
                return SIZE_MAX;
            count += !is_blank;
        } while (!last);
    }
    return count;
}

/* As `predict` reads what it was given, and ends if it cannot. Takes the text. */
static bool read_table(const struct row_form *form, char *text, size_t bytes, size_t line)
{
    struct csv_table table;
    struct error error;
    const struct csv_form written = {form->separator, form->has_header, "--set data.train."};
    if (!csv_table_take(&table, text, bytes, line, "standard input", &written, &error))
        return false;
    struct csv_scan scan = csv_table_begin(&table);
    for (size_t row = 0; row < table.rows; row++)
        csv_table_row(&table, &scan);
    csv_table_close(&table);
    return true;
}

static void take(const struct trial *trial, const struct row_stream *stream, struct seen *seen, const char *text,
                 size_t bytes)
{
    const struct row_form *form = &trial->form;
    size_t header = stream->header_bytes, rows = bytes - header;
    CHECK(bytes >= header && memcmp(text, trial->table, header) == 0, "the header stands in front");
    CHECK(text[bytes] == '\0', "a NUL stands behind");
    if (seen->bytes == 0) {
        seen->bytes = header;
        seen->fields = header > 0 ? count_fields(trial->table, header, form->separator, true) : 0;
    }
    CHECK(rows <= trial->bytes - seen->bytes && memcmp(text + header, trial->table + seen->bytes, rows) == 0,
          "rows are given as they are, in order");
    size_t all = count_fields(text, bytes, form->separator, header > 0 || seen->bytes == 0);
    size_t before = header > 0 ? count_fields(trial->table, header, form->separator, true) : 0;
    seen->fields = all == SIZE_MAX || seen->fields == SIZE_MAX ? SIZE_MAX : seen->fields + all - before;
    seen->bytes += rows;
}

static void check_end(const struct trial *trial, const struct seen *seen)
{
    for (size_t i = seen->bytes; i < trial->bytes; i++)
        CHECK(is_break(trial->table[i]), "nothing is left but blank lines");
    size_t fields = count_fields(trial->table, trial->bytes, trial->form.separator, true);
    CHECK(fields == SIZE_MAX || fields == seen->fields, "no row is cut");
}

static void run(struct trial trial, bool all)
{
    struct row_stream stream = {.all = all};
    struct seen seen = {0};
    struct error error;
    char *text;
    size_t bytes, line, times = 0;
    bool ok = true;
    fill_pipe(&trial);
    for (; ok; times++) {
        CHECK(row_stream_next(&stream, &trial.form, &text, &bytes, &line, &error), "pipes can be read");
        if (!text)
            break;
        size_t before = seen.bytes > 0 ? seen.bytes : stream.header_bytes;
        take(&trial, &stream, &seen, text, bytes);
        ok = read_table(&trial.form, text, bytes, line);
        CHECK(!ok || line == 1 + count_lines(trial.table, before), "with the number of its first line");
    }
    CHECK(!all || times <= 1, "all is given at once");
    if (ok)
        check_end(&trial, &seen);
    row_stream_release(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seven[] = "g";
    size_t first, second_size;
    const uint8_t *second;
    fuzz_split(data, size, &first, &second, &second_size);
    bool is_told = first < size;
    struct trial trial = {.form = {',', true}, .sizes = seven, .size_count = 1};
    trial.table = (const char *)(is_told ? second : data);
    trial.bytes = is_told ? second_size : size;
    if (is_told && first > 0 && data[0] != 'h')
        trial.form.has_header = false;
    if (is_told && first > 1 && csv_separator((const char[]){(char)data[1], '\0'}))
        trial.form.separator = (char)data[1];
    if (is_told && first > 3) { /* the line's own break is none */
        trial.sizes = data + 2;
        trial.size_count = first - 3;
    }
    run(trial, false);
    run(trial, true);
    return 0;
}
