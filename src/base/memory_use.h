/* What memory this process has, as the kernel counts it. */
#ifndef BASE_MEMORY_USE_H
#define BASE_MEMORY_USE_H

#include "base/error.h"

#include <stdbool.h>

/* Bytes that lie in memory now; 0 where the system does not tell. */
struct memory_use {
    double own;    /* private: nobody else's, and written nowhere */
    double shared; /* its part of memory that processes share, so that the parts of all are the whole */
    double files;  /* mapped from files: page cache, which goes when others need it */
    double peak;   /* the most that all three (with all of the shared) were at a time */
};

/* Local. Part of it, and of base/memory_limit.h: the text of a file of the system's below `root` ("": the system's
 * own), which the caller frees (free); "" if it cannot be read. */
char *memory_system_text(const char *root, const char *name) WARN_UNUSED;

/* Local. `settled`: what was freed goes back to the system before, and does not count. */
void memory_use_look(struct memory_use *use, bool settled);

/* Local. Part of it, and of base/memory_limit.h: of a text like /proc/meminfo's the value of the line "key:  123 kB",
 * in bytes. False: there is none. */
bool memory_line(const char *text, const char *key, double *bytes);

/* Local. Part of it: of the texts of /proc/self/status and /proc/self/smaps_rollup ("": not there). */
void memory_use_read(const char *status, const char *rollup, struct memory_use *use);

#endif
