/* A file that a dataset reads as a whole, plain or gzip, as it is at this moment. */
#ifndef DATA_WHOLE_H
#define DATA_WHOLE_H

#include "base/error.h"
#include "data/inflated.h"
#include "data/watched.h"

#include <stddef.h>

struct whole {
    char *bytes; /* [count], with a NUL behind them; not to be written to; NULL: closed */
    size_t count;
    /* private */
    struct inflated inflated;
};

/* Local. `what`: "a CSV file", for the words about a device: that, or a pipe, would give each rank something else, or
 * nothing for ever. watched: all 0 before; to be released in any case. table: as inflated_open. Close accepts a closed
 * one. */
bool whole_open(struct whole *whole, const char *path, const char *what, struct watched *watched,
                const struct inflated_table *table, struct error *error) WARN_UNUSED;
void whole_close(struct whole *whole);

#endif
