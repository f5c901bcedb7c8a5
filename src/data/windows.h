/* Windows into a row of tokens, be they characters or numbers: a sample is a window, its labels are the successors.
 *
 * Letters: L tokens of the part that is used, T context: tokens of a window. A window that begins at s reads the tokens
 * s ... s + T - 1, and its labels are their successors s + 1 ... s + T. */
#ifndef DATA_WINDOWS_H
#define DATA_WINDOWS_H

#include "base/error.h"
#include "base/leaf.h"

#include <stddef.h>
#include <stdint.h>

struct description;

/* What a job file says about them. Borrowed. */
struct windows_wanted {
    const char *format; /* "text" */
    const char *unit;   /* what a token is: "character" */
    const char *path;   /* of the file, for messages */
    uint64_t context;   /* T */
    const double *part; /* [2] of n tokens, those from floor(n part[0]) to before floor(n part[1]) are used */
};

struct windows {
    size_t begin;   /* where the part begins; all other places are counted from here */
    size_t length;  /* L > T */
    size_t context; /* T */
    bool tiled;     /* they stand side by side, and cover the part; else they begin at any place */
};

/* Local. What can be wrong with the words alone, or beside the training data (NULL: these are it). ERROR_USAGE. */
bool windows_check(const struct windows_wanted *wanted, const struct description *train,
                   struct error *error) WARN_UNUSED;

/* Local. Cuts the part out of the `there` tokens of a file; checked before. ERROR_USAGE: it is too short. */
bool windows_cut(struct windows *windows, const struct windows_wanted *wanted, size_t there, bool tiled,
                 struct error *error) WARN_UNUSED;

/* Local. Of windows that have been cut: how many there are, what they look like, about how many tokens have to be read
 * for one more of them. */
size_t windows_count(const struct windows *windows);
struct leaf_form windows_form(size_t context, size_t vocabulary);
size_t windows_cost(const struct windows *windows);

/* Local. Where a window begins. *repeated: how many of its labels, from the first on, the window before has as well:
 * the last one of those side by side reaches back, and what it repeats does not count (LEAF_IGNORED). */
size_t windows_place(const struct windows *windows, size_t index, size_t *repeated);

#endif
