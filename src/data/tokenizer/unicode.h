/* What Unicode says of characters and texts, by utf8proc's tables (Unicode 15 in Debian 12). */
#ifndef DATA_TOKENIZER_UNICODE_H
#define DATA_TOKENIZER_UNICODE_H

#include "base/error.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

/* Normalization forms (Unicode Standard Annex 15). */
enum unicode_form { UNICODE_NFC, UNICODE_NFD, UNICODE_NFKC, UNICODE_NFKD, UNICODE_FORMS };

extern const char *const unicode_form_names[UNICODE_FORMS]; /* "NFC" */

/* Local. Appends the text in this form; it must be UTF-8. ERROR_IO: there is no memory for it. */
bool unicode_normalise(enum unicode_form form, const char *text, size_t count, struct text *to,
                       struct error *error) WARN_UNUSED;

/* Local. Whether a character is one of words, as regular expressions have it (\w of Unicode Technical Standard 18,
 * Annex C: Alphabetic, marks, digits, connectors, joiners); whether it is white space (White_Space). */
bool unicode_is_word(uint32_t character);
bool unicode_is_space(uint32_t character);

#endif
