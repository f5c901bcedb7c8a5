/* Rows of a CSV table that come through standard input: given on as they come, some at a time, each time with the
 * header before them. No more is kept than what is being read. */
#ifndef DATA_ROW_STREAM_H
#define DATA_ROW_STREAM_H

#include "base/error.h"

#include <stddef.h>

struct row_stream {
    bool all; /* they are given all at once, at the end; set before the first call */
    /* private; all 0 before the first call */
    char *bytes; /* [count] read, and not yet given */
    size_t count, capacity;
    size_t whole;       /* bytes of rows that end with a line break */
    size_t wanted;      /* the same, without blank lines behind the last row */
    size_t line;        /* of bytes[0], counted from 0 */
    size_t lines, kept; /* in `whole`, in `wanted` */
    bool ended;         /* there is nothing more to read */
    char *header;       /* NULL: it is not there yet, or there is none */
    size_t header_bytes;
    bool has_begun; /* some rows were given */
};

/* How the rows are written. */
struct row_form {
    char separator;
    bool has_header;
};

/* Local. Waits until a row is there, and gives all that are: *text, which the caller owns (free), the header and the
 * rows, or what else there is where no rows are; NULL: there were some, and no more come. *line: that of the first row,
 * counted from 1. ERROR_CORRUPT: a row is longer than can be meant; ERROR_IO. */
bool row_stream_next(struct row_stream *stream, const struct row_form *form, char **text, size_t *bytes, size_t *line,
                     struct error *error) WARN_UNUSED;

/* Local. Accepts a released one. */
void row_stream_release(struct row_stream *stream);

#endif
