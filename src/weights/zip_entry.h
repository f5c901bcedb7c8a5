/* Members of zip archives that strangers have made. */
#ifndef WEIGHTS_ZIP_ENTRY_H
#define WEIGHTS_ZIP_ENTRY_H

#include "base/error.h"

#include <stddef.h>
#include <zip.h>

/* Local. Returns false. ERROR_CORRUPT, or ERROR_IO if a system call was refused. */
bool zip_entry_fail(struct error *error, const char *what, zip_error_t *reason);

/* Local. Opens an archive. */
bool zip_entry_open(const char *path, zip_t **archive, struct error *error) WARN_UNUSED;

/* Local. Whether that many bytes can be in so many compressed ones. ERROR_CORRUPT. */
bool zip_entry_check_size(const zip_stat_t *stat, struct error *error) WARN_UNUSED;

/* Local. Exactly `count` bytes of an entry that is open. */
bool zip_entry_take(zip_file_t *entry, void *bytes, size_t count, struct error *error) WARN_UNUSED;

/* Local. The end of an entry, at which its checksum is looked at. */
bool zip_entry_end(zip_file_t *entry, struct error *error) WARN_UNUSED;

/* Local. A whole member, with a NUL behind it; the caller owns *bytes. The words begin with the name. */
bool zip_entry_read(zip_t *archive, const char *name, char **bytes, size_t *count, struct error *error) WARN_UNUSED;

#endif
