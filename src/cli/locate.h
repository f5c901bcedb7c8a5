/* A checkpoint as it is named on the command line: a file, or a run directory, which stands for its newest one. */
#ifndef CLI_LOCATE_H
#define CLI_LOCATE_H

#include "base/error.h"

#include <limits.h>

/* Local. The path of the file that `word` means. Whether it is valid is for the reader to say. ERROR_NOT_FOUND if it is
 * a directory without checkpoints. */
bool locate_checkpoint(const char *word, char path[PATH_MAX], struct error *error) WARN_UNUSED;

#endif
