/* What the tokens of a model are in words: the characters of its training text, the tokens of a tokenizer.json, or, of
 * data that are numbers, numbers. */
#ifndef USE_WORDING_H
#define USE_WORDING_H

#include "base/text.h"
#include "data/description.h"
#include "data/tokenizer/tokenizer.h"

struct wording {
    size_t vocabulary;         /* V: tokens are below */
    struct strings characters; /* of a text: of each token */
    struct tokenizer tokenizer;
    bool has_tokenizer;
};

/* Local. `about`: the training data; `tokenizer`: the path of a tokenizer.json (NULL: none), for data that were
 * numbers. ERROR_USAGE: it does not fit; and errors of the file. Nothing stays after failure. */
bool wording_open(struct wording *wording, const struct description *about, const char *tokenizer,
                  struct error *error) WARN_UNUSED;

/* Local. Accepts a closed one. */
void wording_close(struct wording *wording);

/* Local. Appends the tokens of a text in UTF-8; of numbers: "17, 4 1023". ERROR_USAGE names what is no token. */
bool wording_encode(struct wording *wording, const char *text, struct token_row *row, struct error *error) WARN_UNUSED;

/* Local. Appends what a token below V is: bytes that may be a part of a character, U+FFFD for a NUL; or a number and a
 * space. */
void wording_append(const struct wording *wording, uint32_t token, struct text *words);

#endif
