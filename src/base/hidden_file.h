/* A new file that has a hidden name until it is whole and on disk: ".NAME.<16 hexadecimal digits>.partial" beside it.
 * The digits are one command's own, so two that write the same file at once never meet; whichever is done last has the
 * name. What a killed one leaves is not removed, because nobody can tell on every file system whether it is still being
 * written: who comes next says that it is there. */
#ifndef BASE_HIDDEN_FILE_H
#define BASE_HIDDEN_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct hidden_file {
    char *path;     /* the hidden one; NULL: it has its name, or was released */
    int descriptor; /* -1: closed */
};

/* Local. Makes it, empty, for the file that `path` will be. *token: of the hidden name, for hidden_file_join. The error
 * names the path. Nothing stays after failure. */
bool hidden_file_make(struct hidden_file *file, const char *path, uint64_t *token, struct error *error) WARN_UNUSED;

/* Local. Opens one that another process has made, and does not remove it when it is released. number: by which the file
 * system there knows it (hidden_file_number). Nothing is open after failure. */
bool hidden_file_join(struct hidden_file *file, const char *path, uint64_t token, uint64_t number,
                      struct error *error) WARN_UNUSED;
uint64_t hidden_file_number(const struct hidden_file *file);

/* Local, by who has made it. What has the hidden name now is the file: a library that writes by the name has put one of
 * its own there. */
bool hidden_file_take(struct hidden_file *file, struct error *error) WARN_UNUSED;

/* Local. What this process has written is on disk, and the descriptor stays open. */
bool hidden_file_sync(const struct hidden_file *file, const char *path, struct error *error) WARN_UNUSED;

/* Local, by who has made it. On disk, it gets its name, over what has had it; it is closed. False: it has no name; or,
 * if only the sync of the directory fails, it has, and the error says so. It has none either if the hidden name leads
 * to another file by now. */
bool hidden_file_publish(struct hidden_file *file, const char *path, struct error *error) WARN_UNUSED;

/* Local. All of these: a whole file, over what has had its name. False as hidden_file_make and hidden_file_publish. */
bool hidden_file_write(const char *path, const void *bytes, size_t count, struct error *error) WARN_UNUSED;

/* Local. Accepts a released one. `is_maker`: it has made it, and without a name it is removed, unless another file has
 * the hidden name by now. */
void hidden_file_release(struct hidden_file *file, bool is_maker);

#endif
