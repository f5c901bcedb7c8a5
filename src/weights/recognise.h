/* Which format a file is of, by its content. */
#ifndef WEIGHTS_RECOGNISE_H
#define WEIGHTS_RECOGNISE_H

#include "weights/weights.h"

/* Local. *bytes: size of the file. NULL after failure: ERROR_CORRUPT says what can be read, or, of what PyTorch has
 * pickled, how it becomes that; ERROR_NOT_FOUND, ERROR_IO, ERROR_USAGE (no file). The words have the path. */
const struct weights_format *recognise(const char *path, uint64_t *bytes, struct error *error);

#endif
