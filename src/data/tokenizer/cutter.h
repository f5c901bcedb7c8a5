/* Cuts a text into words, in each of which tokens are merged: the pre-tokenizer of a tokenizer.json, as a row of steps,
 * each of which cuts every piece that the one before it has left. */
#ifndef DATA_TOKENIZER_CUTTER_H
#define DATA_TOKENIZER_CUTTER_H

#include "base/error.h"
#include "base/text.h"
#include "data/tokenizer/regex.h"

#include <stddef.h>

#define CUTTER_STEPS 16 /* at most */

enum cut {
    CUT_ALL = 1, /* matches, and what lies between them, are pieces */
    CUT_MATCHES, /* only matches are; the rest is left out */
    CUT_SPACE,   /* no cut: a piece that begins with no space gets one */
};

struct cutter {
    struct cutter_step {
        enum cut cut;
        struct regex regex; /* not of CUT_SPACE */
        struct text spaced; /* of CUT_SPACE: the piece with its space */
    } steps[CUTTER_STEPS];
    size_t count;
};

/* Local. One that is all 0 has no steps. Release accepts a released one. pattern: NULL for CUT_SPACE. ERROR_USAGE: as
 * regex_init, or too many steps. */
bool cutter_add(struct cutter *cutter, enum cut cut, const char *pattern, struct error *error) WARN_UNUSED;
void cutter_release(struct cutter *cutter);

/* Local. Gives the pieces of a text in UTF-8, none of them empty, to take(context) in their order; stops with its first
 * error, or one of regex_find. */
bool cutter_run(struct cutter *cutter, const char *text, size_t count,
                bool (*take)(void *context, const char *piece, size_t count, struct error *error), void *context,
                struct error *error) WARN_UNUSED;

#endif
