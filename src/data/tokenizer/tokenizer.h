/* Texts to tokens and back, as a Hugging Face tokenizer.json of byte-level BPE says: that of GPT-2 (A. Radford and
 * others: Language Models are Unsupervised Multitask Learners, 2019, section 2.2) and those that came after it.
 *
 * A text is cut at the added tokens that stand in it, then into words (cutter.h); the bytes of a word are merged
 * (merges.h). tokenizer_open.c reads the file, tokenizer.c encodes and decodes. Every text in UTF-8 can be encoded, and
 * what is decoded is that text again, unless the tokenizer's own words say otherwise (a space in front, parts left
 * out, a normalizer, white space that belongs to an added token). Tokens that others put around a text by themselves (a
 * post_processor), and what they cut or fill up (truncation, padding), are not added here. Which characters are letters
 * is what the Unicode of PCRE2 says, 14 in Debian 12: newer ones a newer library may cut in another way. */
#ifndef DATA_TOKENIZER_TOKENIZER_H
#define DATA_TOKENIZER_TOKENIZER_H

#include "base/error.h"
#include "data/tokenizer/cutter.h"
#include "data/tokenizer/merges.h"
#include "data/tokenizer/phrases.h"
#include "data/tokenizer/strings.h"
#include "data/tokenizer/unicode.h"

#include <stddef.h>
#include <stdint.h>

#define TOKENIZER_NONE  UINT32_MAX /* no token */
#define TOKENIZER_FORMS 8          /* of normalization, at most */

/* A row of tokens that grows; all 0: none. */
struct token_row {
    uint32_t *tokens; /* [count] */
    size_t count, capacity;
};

struct tokenizer {
    struct strings tokens; /* the bytes of each, by its number; the vocabulary is tokens.count */
    char *content;         /* a tokenizer.json of what is used here alone: equal for all that mean the same */
    /* private */
    uint32_t of_byte[256];  /* the token of each byte; TOKENIZER_NONE: it has none */
    bool takes_whole_words; /* a word that is a token is not merged from its bytes ("ignore_merges") */
    struct merges merges;
    struct cutter cutter;
    enum unicode_form forms[TOKENIZER_FORMS]; /* [form_count]; what lies between added[0] gets them, in this order */
    size_t form_count;
    struct strings normalised; /* the added[1], so */
    struct phrases added[2];   /* [0] are looked for first, [1] in what lies between those */

    /* What encoding works with: words that were merged lately. */
    struct merging merging;
    struct strings words;
    struct token_row merged; /* of all words */
    size_t *ends;            /* [words.count] of them in `merged` */
    size_t ends_capacity;
    struct text piece[2]; /* what lies between added[0], normalised; in turns */
};

/* Local. Reads the bytes of a tokenizer.json. ERROR_CORRUPT: it is damaged, or contradicts itself; ERROR_USAGE: it is
 * of a kind that is not known here. Words do not name the file. Nothing stays after failure; close accepts a closed
 * one. */
bool tokenizer_open(struct tokenizer *tokenizer, const char *bytes, size_t count, struct error *error) WARN_UNUSED;
void tokenizer_close(struct tokenizer *tokenizer);

/* Local; one thread at a time. Appends the tokens of a text in UTF-8 to the row. ERROR_CORRUPT: it is no UTF-8;
 * ERROR_USAGE: a byte has no token, or a regular expression took too long; the row then has some of them. */
bool tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t count, struct token_row *row,
                      struct error *error) WARN_UNUSED;

/* Local. Room for `more` tokens behind those that are there. False: there is no memory for so many. */
bool token_row_reserve(struct token_row *row, size_t more, struct error *error) WARN_UNUSED;
void token_row_release(struct token_row *row);

/* Local. The bytes of a token below the vocabulary, which may be a part of a character; borrowed, no NUL behind. */
const char *tokenizer_decode(const struct tokenizer *tokenizer, uint32_t token, size_t *count);

#endif
