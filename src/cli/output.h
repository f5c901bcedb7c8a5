/* Where a subcommand may write. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/error.h"

/* Local. ERROR_USAGE if the file `output` is `input` itself or a checkpoint, or is there at all, unless `force`. To be
 * called where HDF5 may be. */
bool output_check(const char *output, const char *input, bool force, struct error *error) WARN_UNUSED;

#endif
