/* What formats share that keep inputs and targets in a file each, plain or gzip, with an array in it. What
 * dataset->self points to begins with a struct array_files. */
#ifndef DATA_ARRAY_FILES_H
#define DATA_ARRAY_FILES_H

#include "data/array_data.h"
#include "data/content.h"

struct array_files {
    struct array_data data; /* first: array_data.h */
    struct content x, y;
};

/* One of the files. */
struct array_file {
    const char *path;
    const char *key; /* that has the path, for messages */

    /* Local, guarded. Places the array that these bytes are; they stay where they are. */
    bool (*read)(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error);
};

/* Local. Opens both and places x and y (y NULL: x alone); self is set, files will be. `format`: "npy"; `what`: "a NumPy
 * file". Closing is the caller's, after failure, too. */
bool array_files_open(struct dataset *dataset, const char *format, const char *what, const struct array_file *x,
                      const struct array_file *y, struct error *error) WARN_UNUSED;

/* Local. Closes the files; what self points to stays the caller's. */
void array_files_close(struct array_files *files);

#endif
