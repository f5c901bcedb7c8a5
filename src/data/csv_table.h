/* A CSV file in memory: names of its columns, and its rows one after the other. */
#ifndef DATA_CSV_TABLE_H
#define DATA_CSV_TABLE_H

#include "base/error.h"
#include "data/csv_scan.h"
#include "data/watched.h"
#include "data/whole.h"

#include <stddef.h>

struct csv_table {
    char **names; /* [columns] as the header has them ("": it gives none), or the numbers from 1 */
    size_t columns;
    size_t rows;  /* above 0; the header is none */
    size_t bytes; /* of the text */
    struct csv_form form;
    /* private */
    const char *path;
    struct whole file;
    char *input;          /* instead: the text that was taken */
    const char *text;     /* of either */
    struct csv_scan body; /* before the first row */
    size_t *by_name;      /* [columns] in the order of the names */
    struct csv_field *fields;
};

/* Local. Reads the file, plain or gzip, as it is at this moment; watched is initialised, and the caller's also after
 * failure; inflated: as whole_open has it. What holds afterwards: every row has a field for each column. The path is
 * borrowed. */
bool csv_table_open(struct csv_table *table, struct watched *watched, const struct inflated_table *inflated,
                    const char *path, const struct csv_form *form, struct error *error) WARN_UNUSED;

/* Local. The same of a text, which it takes (free), also after failure, and which `path` is a word for; its rows begin
 * on this line. A NUL stands behind it. */
bool csv_table_take(struct csv_table *table, char *text, size_t bytes, size_t line, const char *path,
                    const struct csv_form *form, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed table. */
void csv_table_close(struct csv_table *table);

/* Local. The column with this name; ERROR_USAGE lists those that there are. */
bool csv_table_find(const struct csv_table *table, const char *name, size_t *column, struct error *error) WARN_UNUSED;

/* Local. Before the first row; the fields of the next one, [columns], borrowed until the next call. As many calls as
 * there are rows cannot fail. */
struct csv_scan csv_table_begin(const struct csv_table *table);
const struct csv_field *csv_table_row(const struct csv_table *table, struct csv_scan *scan);

#endif
