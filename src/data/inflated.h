/* What gzip has made of a file, inflated: into memory of this process alone, or, once for all processes of a node, into
 * memory without a name (memfd), which they map. A process shows it in its /proc/PID/fd as long as others may open it;
 * it is gone with the last of them, however they end. */
#ifndef DATA_INFLATED_H
#define DATA_INFLATED_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* A file that is inflated for others; a process of the same machine can be given its bytes. */
struct inflated_file {
    uint64_t device, inode, bytes, written_ns; /* what it is made of, compared whole */
    uint64_t memory_device, memory_inode;      /* what it is in, */
    uint64_t count;                            /* so many bytes, and a NUL behind */
    int32_t process, descriptor;               /* who shows it, and as what */
};

/* Files that are inflated; it looks up by what they are, not by their paths. */
struct inflated_table {
    struct inflated_file *files;
    size_t count;
};

/* Local. Inflates those of the files that a path of a job file means (base/pattern.h) that gzip has made, and adds
 * them. One that cannot be, for whatever reason, is left out: who opens it will inflate it for itself, and say what is
 * wrong.
 */
void inflated_add(struct inflated_table *table, const char *path);

/* Local. How many bytes these files have, packed. */
uint64_t inflated_packed(const char *path);

/* Local, of the process that has added them: shows them no more. Those who have opened them keep what they have. */
void inflated_hide(struct inflated_table *table);

/* Local. Frees the table; accepts a released one. */
void inflated_release(struct inflated_table *table);

/* The bytes of a file. */
struct inflated {
    uint8_t *bytes; /* [count], with a NUL behind them; not to be written to; NULL: closed */
    size_t count;
    /* private */
    bool is_shared;
};

/* Local. Maps what the table has of a file, or inflates it; info: of the file that the path leads to; table NULL:
 * there is none. Errors as inflate_file. Close accepts a closed one. */
bool inflated_open(struct inflated *inflated, const char *path, const struct stat *info,
                   const struct inflated_table *table, struct error *error) WARN_UNUSED;
void inflated_close(struct inflated *inflated);

#endif
