/* Records what a program asks of the disk, for LD_PRELOAD: every call that changes something below the directory
 * RECORD_BELOW is appended to the file RECORD once it has succeeded; of a sync also the beginning, since it answers
 * only for what was done before. All ranks append to the same file. power_loss.py reads it: one line a record, fields
 * between tabs, and after a write's line its bytes.
 *
 *   create INODE PATH, truncate INODE LENGTH, reserve INODE END, write INODE OFFSET COUNT,
 *   sync-begin and sync-end THREAD INODE PATH, rename OLD NEW, unlink PATH, mkdir PATH */
#include "disk_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int record = -1;
static const char *below = NULL;

__attribute__((constructor)) static void open_record(void)
{
    const char *path = getenv("RECORD");
    below = getenv("RECORD_BELOW");
    int fd = path && below ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd < 0) {
        fprintf(stderr, "RECORD: cannot open %s\n", path ? path : "(unset)");
        _exit(99);
    }
    record = fd;
}

/* A record that is lost would make a test of nothing. */
static void append(const char *line, int length, const void *bytes, size_t count)
{
    struct iovec parts[2] = {{.iov_base = (void *)(size_t)line, .iov_len = (size_t)length},
                             {.iov_base = (void *)(size_t)bytes, .iov_len = count}};
    if (disk_writev(record, parts, 2) != (ssize_t)((size_t)length + count))
        abort();
}

static unsigned long long inode_of(int fd)
{
    struct stat info;
    return fstat(fd, &info) ? 0 : info.st_ino;
}

static void append_writes(const struct disk_call *call, long result, unsigned long long inode)
{
    char line[128];
    size_t left = (size_t)result;
    off_t offset = call->offset >= 0 ? call->offset : lseek(call->fd, 0, SEEK_CUR) - result;
    for (int i = 0; i < call->part_count && left > 0; i++) {
        size_t count = call->parts[i].iov_len < left ? call->parts[i].iov_len : left;
        int length = snprintf(line, sizeof line, "write\t%llu\t%lld\t%zu\n", inode, (long long)offset, count);
        append(line, length, call->parts[i].iov_base, count);
        offset += (off_t)count;
        left -= count;
    }
}

static bool is_below(const struct disk_call *call, char path[PATH_MAX])
{
    return record >= 0 && call->fd != record && disk_path(call, path) && strncmp(path, below, strlen(below)) == 0;
}

static void append_sync(const struct disk_call *call, const char *what, const char *path)
{
    char line[PATH_MAX + 128];
    append(line, snprintf(line, sizeof line, "%s\t%d\t%llu\t%s\n", what, (int)gettid(), inode_of(call->fd), path), NULL,
           0);
}

bool disk_before(struct disk_call *call, long *result)
{
    char path[PATH_MAX];
    (void)result;
    int kept = errno;
    if (call->kind == DISK_SYNC && is_below(call, path))
        append_sync(call, "sync-begin", path);
    errno = kept;
    return false;
}

void disk_after(const struct disk_call *call, long result)
{
    static const struct disk_call none = {.kind = DISK_KINDS};
    char path[PATH_MAX], other[PATH_MAX] = "", line[2 * PATH_MAX + 128];
    int length = 0;
    struct disk_call second = none;
    if (result < 0 || !is_below(call, path))
        return;
    unsigned long long inode = call->fd >= 0 ? inode_of(call->fd) : 0;
    switch (call->kind) {
    case DISK_CREATE:
        if (call->absent)
            length = snprintf(line, sizeof line, "create\t%llu\t%s\n", inode, path);
        else if (call->flags & O_TRUNC)
            length = snprintf(line, sizeof line, "truncate\t%llu\t0\n", inode);
        break;
    case DISK_WRITE:
        append_writes(call, result, inode);
        break;
    case DISK_TRUNCATE:
        length = snprintf(line, sizeof line, "truncate\t%llu\t%lld\n", inode, (long long)call->length);
        break;
    case DISK_RESERVE:
        length = snprintf(line, sizeof line, "reserve\t%llu\t%lld\n", inode, (long long)(call->offset + call->length));
        break;
    case DISK_SYNC:
        append_sync(call, "sync-end", path);
        break;
    case DISK_RENAME:
        second.fd = -1;
        second.path = call->other;
        if (disk_path(&second, other))
            length = snprintf(line, sizeof line, "rename\t%s\t%s\n", path, other);
        break;
    case DISK_UNLINK:
    case DISK_MKDIR:
        length = snprintf(line, sizeof line, "%s\t%s\n", call->kind == DISK_UNLINK ? "unlink" : "mkdir", path);
        break;
    default:
        break;
    }
    if (length > 0)
        append(line, length, NULL, 0);
}
