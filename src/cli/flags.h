/* The command line of the subcommands that take flags and one file. */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include "base/error.h"

#include <stddef.h>

/* One of `value`, `given` and `list` is not NULL. */
struct flag {
    const char *name;   /* "--output" */
    const char **value; /* becomes the word behind it; borrowed */
    bool *given;        /* becomes true */
    const char **list;  /* the word behind it is added; as long as there are words */
    size_t *length;     /* of the list */
};

/* Local. Reads the words behind a subcommand's name; flags end with an all-zero one. ERROR_USAGE names the word that is
 * not understood, missing or too many. */
bool flags_parse(const struct flag *flags, int count, char **words, const char **file, struct error *error) WARN_UNUSED;

#endif
