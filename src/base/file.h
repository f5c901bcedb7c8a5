/* Files that survive: what has returned true here is on disk, under its final name, or was never there. And the one way
 * in which files are opened for writing: whoever else may write in a directory can plant a link there under a name that
 * we are going to write, and what it leads to must stay as it is. What each call of the system may answer, on NFS and
 * Lustre too, and what is done about it: src/base/README.md.
 *
 * file_open.c opens, renames and removes; file_disk.c reads, replaces, syncs and reserves; file_directory.c is about
 * directories, file_lock.c about locks. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a file is opened for. */
enum file_use {
    FILE_NEW,     /* empty, of our own making: what has the name now is unlinked before */
    FILE_PRIVATE, /* the same, and for this user alone */
    FILE_MARK,    /* empty, of our own making: ERROR_BUSY if anything has the name */
    FILE_APPEND,  /* made if absent; each write goes to its end */
    FILE_CHANGE,  /* has to be there */
    FILE_LOCK,    /* made if absent; its contents stay (whoever gets the lock may write there who it is) */
    FILE_READ,    /* has to be there; for reading alone */
    FILE_USES
};

/* Local. Opens for reading and writing (FILE_READ: for reading), through a handle of the directory. A link is never
 * followed at the last part of the path (before it, it is: a user's run: may be one). What was there before has to be a
 * regular file with one name that belongs to this user, root, or the owner of the directory; else ERROR_USAGE says what
 * it is. */
bool file_open(const char *path, enum file_use use, int *descriptor, struct error *error) WARN_UNUSED;

/* Local. Closes what was written: a network file system may tell only now that it could not be. False: errno says why.
 * The descriptor is closed in any case. */
bool file_close(int descriptor) WARN_UNUSED;

/* Local. Reads `count` bytes from a place in an open file on; fewer only at its end. -1: errno says why. The
 * descriptor's own position stays. */
ssize_t file_read_at(int descriptor, void *bytes, size_t count, uint64_t offset) WARN_UNUSED;

/* Local. Writes all of the bytes from a place in an open file on. False: errno says why (EIO: the system takes none of
 * them, and does not say why), and a part of them may be written. The descriptor's own position stays. */
bool file_write_at(int descriptor, const void *bytes, size_t count, uint64_t offset) WARN_UNUSED;

/* Local. A path by which a library opens the very file or directory that a descriptor has, whatever has become of its
 * name; `path` itself where there is no /proc. */
void file_name_of(int descriptor, const char *path, char name[PATH_MAX]);

/* Local. Renames within a directory or a file system, over what has that name. True also if the file has the new name
 * already (a network file system asks twice if the first answer was lost). */
bool file_rename(const char *path, const char *to, struct error *error) WARN_UNUSED;

/* Local. Takes a name away; that it is gone already is fine. */
bool file_remove(const char *path, struct error *error) WARN_UNUSED;

/* Local. `mkdir -p`. What is there is taken, whatever mkdir says of it. */
bool file_make_directories(const char *path, struct error *error) WARN_UNUSED;

/* Local. The path of the directory in which a path's last part is; "." if it has only one. */
void file_parent(const char *path, char parent[PATH_MAX]);

/* What a directory that this program has made must be: never a link, and */
enum file_owner {
    FILE_OURS, /* of this user, root, or the owner of the directory in which it lies */
    FILE_MINE, /* of this user, who alone may write there: where all users may make files its name could be taken */
};

/* Local. Opens such a directory; what is done through the handle is done in the very one that was looked at. Else
 * ERROR_NOT_FOUND, ERROR_USAGE (FILE_MINE: ERROR_IO), and the words say what it is. */
bool file_open_directory(const char *path, enum file_owner owner, int *descriptor, struct error *error) WARN_UNUSED;

/* Local. The same; makes it, and those before it as file_make_directories, if it is absent. */
bool file_make_directory(const char *path, enum file_owner owner, int *descriptor, struct error *error) WARN_UNUSED;

/* Local. As file_open, file_rename, file_remove, file_replace and file_read_note, in a directory that is held: the last
 * part of a path is the name there, all of it is for words. */
bool file_open_in(int directory, const char *path, enum file_use use, int *descriptor, struct error *error) WARN_UNUSED;
bool file_rename_in(int directory, const char *path, const char *to, struct error *error) WARN_UNUSED;
bool file_remove_in(int directory, const char *path, struct error *error) WARN_UNUSED;
bool file_replace_in(int directory, const char *path, const void *bytes, size_t count, struct error *error) WARN_UNUSED;
bool file_read_note_in(int directory, const char *path, char **bytes, size_t *count, struct error *error) WARN_UNUSED;

/* Local. Whole file into memory, with a NUL behind it; the caller owns *bytes. *count excludes the NUL. For what the
 * user names: a pipe is waited for, and read to its end (scripts/check-layers knows who may). */
bool file_read(const char *path, char **bytes, size_t *count, struct error *error) WARN_UNUSED;

#define FILE_NOTE_MOST ((size_t)16 << 20) /* bytes of what one start of the program tells another */

/* Local. The same of a file that this program keeps: no link at the last part of the path is followed, and what is not
 * a regular file, or longer than `most` bytes, is refused (ERROR_USAGE), and not waited for. It may belong to anybody:
 * a group may share a run. */
bool file_read_own(const char *path, size_t most, char **bytes, size_t *count, struct error *error) WARN_UNUSED;

/* Local. The same of one that this user's processes tell each other something by, and act on: opened as file_open does
 * (FILE_READ), up to FILE_NOTE_MOST bytes. */
bool file_read_note(const char *path, char **bytes, size_t *count, struct error *error) WARN_UNUSED;

/* Local. Replaces `path` by these bytes: hidden file beside it, fsync, close, rename, fsync of the directory. After
 * failure the old file stands (or the new one, if only the last sync failed), whole, and nothing is left behind.
 * One writer at a time: the hidden name is always the same, so that a killed process leaves one file at most. */
bool file_replace(const char *path, const void *bytes, size_t count, struct error *error) WARN_UNUSED;

/* Local. Makes the contents of a file durable (open, fsync, close). */
bool file_sync(const char *path, struct error *error) WARN_UNUSED;

/* Local. Makes the names in the directory that holds `path` durable, as far as its file system has that. */
bool file_sync_parent(const char *path, struct error *error) WARN_UNUSED;

/* Local. Reserves the first `bytes` bytes of an existing file, so that writing there cannot meet a full disk.
 * Contents stay; a shorter file grows. The error names the size and what is free. */
bool file_reserve(const char *path, uint64_t bytes, struct error *error) WARN_UNUSED;

/* Local. How many of the bytes [first, end) of an open file its file system has stored: what lies in a hole has cost
 * nobody anything, and is no measure of what may be spent on it. All of them where the file system does not tell.
 * Blocks (st_blocks) would not do: compressed ones are too few, and some file systems count none, or count them late.
 * The descriptor's own position moves. */
uint64_t file_stored_between(int descriptor, uint64_t first, uint64_t end);

/* Local. Free bytes for this user on the file system of `path`; UINT64_MAX if unknown. */
uint64_t file_free_bytes(const char *path);

/* Local. Takes the lock on `path` (created if absent), which is held until *descriptor is closed or the process is
 * gone, however it goes (a child forked meanwhile holds it too). If another process holds it: waits up to wait_s
 * seconds, then ERROR_BUSY. On a file system without locks: true, and *descriptor is -1. */
bool file_lock(const char *path, double wait_s, int *descriptor, struct error *error) WARN_UNUSED;

/* Local. Whether another process holds the lock on `path`. False if there is no such file, or if it cannot be told. */
bool file_is_locked(const char *path);

#endif
