/* What a program asks of the disk, between the program and the C library: for shims that are preloaded (LD_PRELOAD).
 * disk_calls.c answers for the calls; each shim is made of it and of one file with the two functions below. */
#ifndef TESTS_SYSTEM_DISK_CALLS_H
#define TESTS_SYSTEM_DISK_CALLS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum disk_kind {
    DISK_CREATE,   /* open that may create: open, openat, creat */
    DISK_WRITE,    /* write, writev, pwrite, pwritev */
    DISK_TRUNCATE, /* ftruncate, truncate */
    DISK_RESERVE,  /* fallocate, posix_fallocate */
    DISK_SYNC,     /* fsync, fdatasync */
    DISK_CLOSE,    /* close; the descriptor is closed in any case */
    DISK_RENAME,   /* rename, renameat, renameat2 */
    DISK_UNLINK,   /* unlink, unlinkat */
    DISK_MKDIR,    /* mkdir */
    DISK_LIST,     /* readdir */
    DISK_KINDS
};

struct disk_call {
    enum disk_kind kind;
    int fd;                    /* -1: a call by path; of a creation, once made: the new descriptor */
    const char *path;          /* of a call by path, as given; of a rename the old one */
    const char *other;         /* the new path of a rename */
    const struct iovec *parts; /* of a write */
    int part_count;
    size_t bytes; /* of a write: the shim may make it smaller, and only so many are passed on */
    off_t offset; /* of a write or reservation; -1: at the descriptor's position */
    off_t length; /* of a truncation or reservation */
    int flags;    /* of a creation */
    bool absent;  /* of a creation: there was no such file before */
};

/* By the shim. Before a call: true if the call is not to be made but has the result *result (and errno). */
bool disk_before(struct disk_call *call, long *result);

/* By the shim. After a call that was made, or answered. */
void disk_after(const struct disk_call *call, long result);

/* The path of a call, absolute; of one by descriptor that which it has now. False if there is none. */
bool disk_path(const struct disk_call *call, char path[PATH_MAX]);

/* The C library's own write, past the shim. */
ssize_t disk_writev(int fd, const struct iovec *parts, int count);

#endif
