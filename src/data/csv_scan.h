/* The fields of a CSV text, one after the other: RFC 4180, and what is met besides: any line breaks (CRLF, LF, CR), a
 * last line without one, blank lines behind the last row, a byte order mark, blanks around a field. */
#ifndef DATA_CSV_SCAN_H
#define DATA_CSV_SCAN_H

#include "base/error.h"

#include <locale.h>
#include <stddef.h>

struct csv_field {
    const char *bytes; /* borrowed from the text; without blanks and quotes around it */
    size_t length;
    bool quoted;
    bool doubled; /* quotes in it stand there twice */
    size_t line;  /* on which it begins, counted from 1 */
};

struct csv_scan {
    const char *path;     /* for messages; borrowed */
    const char *at, *end; /* what is left of the text */
    char separator;
    size_t line;
    const char *keys; /* as in struct csv_form; NULL: "" */
};

/* How a table is written. */
struct csv_form {
    char separator;
    bool has_header;
    const char *keys; /* what stands in messages before a key that would say it: "", "--set data.train."; borrowed */
};

/* What a field says, as a number. */
enum csv_number {
    CSV_WHOLE,   /* a number, written without point and exponent */
    CSV_REAL,    /* another one */
    CSV_MISSING, /* nothing: it is empty, or NA, N/A, NaN, null */
    CSV_BEYOND,  /* infinite, or beyond what a float holds */
    CSV_WORD,    /* no decimal number */
};

/* Local. The separator that a text stands for: the character itself, or \t written out; 0: it can be none. */
char csv_separator(const char *text);

/* Local. Before the first row of count bytes, behind which stands a NUL, and in which there is none. */
void csv_scan_init(struct csv_scan *scan, const char *path, const char *bytes, size_t count, char separator);

/* Local. Between two rows: whether there is no other one. */
bool csv_scan_done(const struct csv_scan *scan);

/* Local. The next field; *last: its row ends with it. ERROR_CORRUPT: a quoted field does not end, or something stands
 * behind its end. */
bool csv_scan_field(struct csv_scan *scan, struct csv_field *field, bool *last, struct error *error) WARN_UNUSED;

/* Local. What a field holds, doubled quotes being one; the caller owns it (memory_free). */
char *csv_field_text(const struct csv_field *field) WARN_UNUSED;

/* Local. The same for a message, as option_show has it (base/option.h). */
void csv_field_show(const struct csv_field *field, char *shown, size_t bytes);

/* Local. `locale`: that of C, whatever the user's is. *value is set for a number; it is not beyond a float. */
enum csv_number csv_field_number(const struct csv_field *field, locale_t locale, double *value);

#endif
