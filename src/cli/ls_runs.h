/* The runs of a directory beside each other. */
#ifndef CLI_LS_RUNS_H
#define CLI_LS_RUNS_H

#include "base/error.h"

/* Local. Prints a table of the runs in a directory (or a line of JSON each), with the keys in which their jobs differ,
 * ordered by name; *all_read: whether each could be read, with its job. ERROR_NOT_FOUND: there are none. */
bool ls_runs(const char *directory, bool as_json, bool *all_read, struct error *error) WARN_UNUSED;

#endif
