/* Where a subcommand may write. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/error.h"
#include "data/dataset.h"

/* Local. ERROR_USAGE if the file `output` is one of `inputs` (NULL behind the last), a directory or a checkpoint, or is
 * there at all, unless `force`. To be called where HDF5 may be. */
bool output_check(const char *output, const char *const *inputs, bool force, struct error *error) WARN_UNUSED;

/* Local. The same for the files of a job's data: ERROR_USAGE if it is one of them. */
bool output_check_data(const char *output, const struct dataset_spec *data, struct error *error) WARN_UNUSED;

#endif
