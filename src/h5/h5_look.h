/* A look at datasets of a file that somebody else has made, by a process of its own (contained.h). */
#ifndef H5_H5_LOOK_H
#define H5_H5_LOOK_H

#include "base/error.h"
#include "h5/h5_array.h"

/* Local. Looks at n datasets by their names ("train/x") in a file that is mapped, or in memory. Whatever the answer
 * says lies within the file, and is not more than what is stored there can become. Errors, without a path:
 * ERROR_CORRUPT, ERROR_NOT_FOUND with the names that are there, ERROR_VERSION for what is sound, but no numbers that
 * can be read, with what to do; ERROR_IO. Nothing stays after failure; the caller releases the arrays. */
bool h5_look(const uint8_t *bytes, uint64_t count, const char *const *names, size_t n, struct h5_array *arrays,
             struct error *error) WARN_UNUSED;

#endif
