/* The words behind a subcommand's name: flags, and files. */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include "base/error.h"

#include <stddef.h>

/* One of `given`, `value`, `number` and `list` is not NULL. */
struct flag {
    const char *name;   /* "--output" */
    bool *given;        /* becomes true */
    const char **value; /* becomes its value; borrowed, as in a list */
    int *number;        /* the same, a whole number from `least` on */
    int least;
    const char **list; /* its value is added; as long as there are words */
    size_t *length;    /* of the list */
};

/* Words that are no flags: `least` to `most` of them. */
struct flag_files {
    const char *what; /* "a run directory", "two checkpoints" */
    int least, most;
};

/* Local. Reads the words; flags end with an all-zero one. A flag's value is the word behind it, or in the same word,
 * behind a `=`. The files come to the front of `words`, in their order, and *count becomes their number. ERROR_USAGE
 * names the word that is not understood, missing or too many. */
bool flags_parse(const struct flag *flags, struct flag_files files, int *count, char **words,
                 struct error *error) WARN_UNUSED;

#endif
