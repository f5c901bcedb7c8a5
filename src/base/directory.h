/* A directory that is held: by its handle it stays the same one, whatever becomes of its name. */
#ifndef BASE_DIRECTORY_H
#define BASE_DIRECTORY_H

#include "base/error.h"

#include <limits.h>

struct directory {
    int handle; /* -1: closed */
    char path[PATH_MAX];
    char where[PATH_MAX]; /* directory_where, when it was opened */
};

enum directory_state {
    DIRECTORY_HERE,  /* its path leads to it */
    DIRECTORY_AWAY,  /* it is there, but its path leads to nothing now: a link or a disk on the way is away */
    DIRECTORY_MOVED, /* it is there under another name, or its path leads to another one */
    DIRECTORY_GONE,  /* it was deleted */
};

/* Local. A closed one. */
void directory_init(struct directory *directory);

/* Local. Holds the directory that has this path now. */
bool directory_open(struct directory *directory, const char *path, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed one. */
void directory_close(struct directory *directory);

/* Local. What has become of it. A closed one is here. */
enum directory_state directory_look(const struct directory *directory);

/* Local. Holds the directory that has the path now instead; the number of the handle stays. */
bool directory_renew(struct directory *directory, struct error *error) WARN_UNUSED;

/* Local. A path that leads to it whatever its name is. */
void directory_name(const struct directory *directory, char name[64]);

/* Local. Where it is, in words: its name of today as the system knows it. */
void directory_where(const struct directory *directory, char where[PATH_MAX]);

#endif
