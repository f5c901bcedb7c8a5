/* The names of all datasets of a file that somebody else has made, by a process of its own (contained.h). */
#ifndef H5_H5_LIST_H
#define H5_H5_LIST_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define H5_LIST_MOST 1000 /* names: more are not told */

struct h5_list {
    char **names; /* [count], "train/x"; whoever wrote the file chose their bytes */
    size_t count;
};

/* Local. Of a file that is mapped, or in memory. Errors, without a path, as h5_look. Release accepts what is all 0. */
bool h5_list_read(struct h5_list *list, const uint8_t *bytes, uint64_t count, struct error *error) WARN_UNUSED;
void h5_list_release(struct h5_list *list);

#endif
