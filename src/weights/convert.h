/* From the tensors of one file to those of another. */
#ifndef WEIGHTS_CONVERT_H
#define WEIGHTS_CONVERT_H

#include "weights/match.h"

/* Local. Adds all tensors of the file, with their values, as they are. */
bool convert_copy(const struct weights_file *file, struct weights *out, struct error *error) WARN_UNUSED;

/* Local. Adds the tensors that a match has found, by the names, in the order and as a layout of the same model wants
 * them; without second copies. */
bool convert_layout(const struct match *match, const struct layout *layout, struct weights *out,
                    struct error *error) WARN_UNUSED;

#endif
