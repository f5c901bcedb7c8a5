/* Files that survive: what has returned true here is on disk, under its final name, or was never there. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Local. `mkdir -p`. An existing directory is fine. */
bool file_make_directories(const char *path, struct error *error) WARN_UNUSED;

/* Local. Whole file into memory, with a NUL behind it; the caller owns *bytes. *count excludes the NUL. */
bool file_read(const char *path, char **bytes, size_t *count, struct error *error) WARN_UNUSED;

/* Local. Replaces `path` by these bytes: hidden file beside it, fsync, rename, fsync of the directory. After failure
 * the old file stands (or the new one, if only the last sync failed), whole, and nothing is left behind.
 * One writer at a time: the hidden name is always the same, so that a killed process leaves one file at most. */
bool file_replace(const char *path, const void *bytes, size_t count, struct error *error) WARN_UNUSED;

/* Local. Makes the contents of a file durable (open, fsync, close). */
bool file_sync(const char *path, struct error *error) WARN_UNUSED;

/* Local. Makes the names in the directory that holds `path` durable. */
bool file_sync_parent(const char *path, struct error *error) WARN_UNUSED;

/* Local. Reserves the first `bytes` bytes of an existing file, so that writing there cannot meet a full disk.
 * Contents stay; a shorter file grows. The error names the size and what is free. */
bool file_reserve(const char *path, uint64_t bytes, struct error *error) WARN_UNUSED;

/* Local. Free bytes for this user on the file system of `path`; UINT64_MAX if unknown. */
uint64_t file_free_bytes(const char *path);

/* Local. Takes the lock on `path` (created if absent), which is held until *descriptor is closed or the process is
 * gone, however it goes (a child forked meanwhile holds it too). If another process holds it: waits up to wait_s
 * seconds, then ERROR_BUSY. On a file system without locks: true, and *descriptor is -1. */
bool file_lock(const char *path, double wait_s, int *descriptor, struct error *error) WARN_UNUSED;

/* Local. Whether another process holds the lock on `path`. False if there is no such file, or if it cannot be told. */
bool file_is_locked(const char *path);

#endif
