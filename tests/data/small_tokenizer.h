/* A small tokenizer.json of byte-level BPE, for tests: the 256 bytes are its tokens 0 to 255, in the order of their
 * letters; then come those of small_merges, 256 and on, then "hello", which no merge makes, then the added tokens. */
#ifndef TESTS_DATA_SMALL_TOKENIZER_H
#define TESTS_DATA_SMALL_TOKENIZER_H

#include "base/text.h"

#include <stdbool.h>

extern const char *const small_merges[][2]; /* as bytes; {NULL} ends them */

#define SMALL_END   "<|end|>" /* an added token */
#define SMALL_BYTES "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}"

/* All 0, and NULL: as GPT-2's. */
struct small_tokenizer {
    const char *normalizer;    /* JSON; NULL: none */
    const char *pre_tokenizer; /* JSON; NULL: SMALL_BYTES */
    const char *added;         /* JSON, the list; NULL: SMALL_END alone */
    bool pairs;                /* merges as ["a", "b"], and not "a b" */
    bool takes_whole_words;
};

/* The token behind those of the bytes, the merges and "hello": the first added one. */
unsigned small_tokenizer_added(void);

/* Appends the file. */
void small_tokenizer_write(const struct small_tokenizer *small, struct text *json);

#endif
