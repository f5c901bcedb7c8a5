/* What tests of data formats say about a dataset that was opened, or not. */
#ifndef DATA_OPENING_H
#define DATA_OPENING_H

#include "base/error.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* It opened; else the case ends, with the words why not. */
static inline void check_opened(bool opened, const struct error *error)
{
    if (!opened)
        printf("%s\n", error->text);
    CU_ASSERT_FATAL(opened);
}

/* It did not open, for this kind of reason, and one line told it with both of these words in it. */
static inline void check_refused(bool opened, const struct error *error, enum error_kind kind, const char *words,
                                 const char *more)
{
    bool good = !opened && error->kind == kind && strstr(error->text, words) && strstr(error->text, more) &&
                !strchr(error->text, '\n');
    if (!good)
        printf("expected kind %d, \"%s\" and \"%s\", got kind %d: %s\n", (int)kind, words, more,
               opened ? 0 : (int)error->kind, opened ? "opened" : error->text);
    CU_ASSERT(good);
}

#endif
