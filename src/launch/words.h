/* Words of a command line, to be changed before it is run; also other lists of names. */
#ifndef LAUNCH_WORDS_H
#define LAUNCH_WORDS_H

#include "base/error.h"

#include <stddef.h>

struct words {
    char **items; /* owned, each of them as well; NULL-terminated */
    size_t count;
};

/* Local. No words; or a copy of NULL-terminated ones. The caller owns them (words_release). */
void words_init(struct words *words);
void words_copy(struct words *words, char *const *from);
void words_release(struct words *words);

/* Local. Appends what stands between the spaces of the text. */
void words_append(struct words *words, const char *text);

/* Local. One more word before number `at` (0, ...); takes number `at` away; puts another one in its place. */
void words_insert(struct words *words, size_t at, const char *word);
void words_remove(struct words *words, size_t at);
void words_replace(struct words *words, size_t at, const char *word);

#endif
