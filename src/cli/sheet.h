/* A table of words, whose columns are as wide as what is in them. */
#ifndef CLI_SHEET_H
#define CLI_SHEET_H

#include "base/error.h"

#include <stddef.h>

struct sheet {
    size_t columns; /* the last one is for remarks */
    char **cells;   /* [count], owned, row by row */
    size_t count, capacity;
};

/* Local. An empty one, of so many columns and one for remarks. Release accepts a released one. */
void sheet_init(struct sheet *sheet, size_t columns);
void sheet_release(struct sheet *sheet);

/* Local. The next cell of a row; at most as many as there are columns. */
void sheet_put(struct sheet *sheet, const char *format, ...) FORMAT(2, 3);

/* Local. Ends a row, which may lack its last cells, with a remark ("": none). */
void sheet_end_row(struct sheet *sheet, const char *remark);

/* Local. On standard output. */
void sheet_print(const struct sheet *sheet);

#endif
