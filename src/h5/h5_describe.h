/* What HDF5 says about a dataset of numbers; called by nobody but the process that looks at it (h5_look.c). */
#ifndef H5_H5_DESCRIBE_H
#define H5_H5_DESCRIBE_H

#include "base/error.h"
#include "h5/h5_array.h"
#include "h5/h5_bytes.h"

/* Local. Fills `array`, but for the range of what is said; the caller owns its values and chunks. Errors as
 * h5_look. */
bool h5_describe_array(hid_t file, struct h5_bytes *bytes, const char *name, struct h5_array *array,
                       struct error *error) WARN_UNUSED;

/* Local; the parts of it that have files of their own. `name` for messages. */
bool h5_describe_attributes(hid_t file, hid_t dataset, const char *name, struct h5_array *array,
                            struct error *error) WARN_UNUSED;
bool h5_describe_chunks(hid_t dataset, hid_t create, struct h5_bytes *bytes, const char *name, struct h5_array *array,
                        struct error *error) WARN_UNUSED;

#endif
