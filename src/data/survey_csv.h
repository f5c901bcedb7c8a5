/* What a table in a CSV file holds, before anybody has said how it is written. */
#ifndef DATA_SURVEY_CSV_H
#define DATA_SURVEY_CSV_H

#include "data/csv_table.h"

#include <locale.h>

/* Local; in survey_csv_open.c. Opens the file with the separator, and with a header or without, that make a table of
 * it. If none does, the error is that of the separator that makes the most of the first line. watched: as
 * csv_table_open has it. */
bool survey_csv_open(struct csv_table *table, struct watched *watched, const char *path, char *separator,
                     locale_t locale, struct error *error) WARN_UNUSED;

#endif
