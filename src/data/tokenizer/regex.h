/* Regular expressions of tokenizers. Theirs are those of Oniguruma (K. Kosako, doc/RE), ours those of PCRE2: what both
 * read in the same way is taken, all else refused. */
#ifndef DATA_TOKENIZER_REGEX_H
#define DATA_TOKENIZER_REGEX_H

#include "base/error.h"

#include <stddef.h>

struct regex {
    struct pcre2_real_code_8 *code;
    struct pcre2_real_match_data_8 *match;
};

/* Local. Compiles a pattern in UTF-8. ERROR_USAGE: it has something that is not known to mean the same, or is none.
 * Release accepts a released one. */
bool regex_init(struct regex *regex, const char *pattern, struct error *error) WARN_UNUSED;
void regex_release(struct regex *regex);

enum regex_answer { REGEX_NONE, REGEX_FOUND, REGEX_FAILED };

/* Local. The first match in the text[count], which must be UTF-8, from `offset` on: text[*begin, *end), which may be
 * empty. FAILED: the expression takes too many steps, and the error says so (ERROR_USAGE). */
enum regex_answer regex_find(struct regex *regex, const char *text, size_t count, size_t offset, size_t *begin,
                             size_t *end, struct error *error);

#endif
