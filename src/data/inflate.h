/* Files that gzip has made (RFC 1952), inflated into memory. */
#ifndef DATA_INFLATE_H
#define DATA_INFLATE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Local. Whether an open file begins as gzip has it, whatever its name. The descriptor's own position stays. */
bool inflate_is_gzip(int descriptor);

/* Local. All bytes that come out, with a NUL behind them that *count excludes; the caller owns *bytes (free). False,
 * and *bytes is NULL: ERROR_CORRUPT if the file breaks off, is no gzip file or holds nothing; ERROR_IO. */
bool inflate_file(const char *path, uint8_t **bytes, size_t *count, struct error *error) WARN_UNUSED;

/* Local. The same into an open file, from its beginning on, the NUL included. */
bool inflate_into(const char *path, int descriptor, size_t *count, struct error *error) WARN_UNUSED;

#endif
