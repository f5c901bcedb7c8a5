/* A file that a dataset was made of, watched while others can change it. A look costs a stat. */
#ifndef DATA_WATCHED_H
#define DATA_WATCHED_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct watched {
    char *path;     /* our own copy; NULL: closed */
    int descriptor; /* of a file that is read as long as the dataset is open; -1: it was read into memory as a whole */
    const void *bytes; /* [count] where such a file is mapped; set by whoever has mapped it */
    size_t count;
    off_t size;        /* as it was opened */
    struct stat known; /* as of the last look */
    bool touched; /* it is still read, and its size or one of its times has changed: only its bytes can tell; whoever
                     proves them takes this back first, and the next one */
    bool written; /* touched, and not only what can change without a write: its rights, its names */
    double excused_s; /* when it was told that it was touched, and is the same (clock_seconds); 0: never */
    bool told;        /* that the next start will find another file */

    struct watched *next; /* of the same dataset; NULL: this is the last */
};

enum watched_state {
    WATCHED_SAME,
    WATCHED_LEFT,    /* what is read stays as it was, but the path leads to something else, to more, or nowhere; told
                        once */
    WATCHED_SHORT,   /* it is still read, and bytes of it are gone */
    WATCHED_UNKNOWN, /* it cannot be looked at; errno tells */
};

/* Local. Looks at an open file, before it is read; the descriptor stays the caller's, who gives it to `descriptor` if
 * the file is read on. Release accepts one that is all zero, or released. */
bool watched_init(struct watched *watched, const char *path, int descriptor, struct error *error) WARN_UNUSED;
void watched_release(struct watched *watched);

/* Local. Looks again, and sets `touched` if there is something to be proven. */
enum watched_state watched_look(struct watched *watched);

/* Local. The error of a file that has no bytes where they were: it has become shorter, or cannot be read. Returns
 * false. */
bool watched_refuse(const struct watched *watched, struct error *error);

#endif
