/* Bytes as letters, so that tokens of any bytes can stand in JSON: as GPT-2's encoder.py writes them
 * (https://github.com/openai/gpt-2), a space as U+0120. */
#ifndef DATA_TOKENIZER_LETTERS_H
#define DATA_TOKENIZER_LETTERS_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define LETTERS (256 + 68) /* 68 of the 256 bytes are not their own letters */

struct letters {
    int16_t byte_of[LETTERS]; /* by the letter's code point; -1: no byte has this letter */
};

/* Local. */
void letters_init(struct letters *letters);

/* Local. The bytes that a text in UTF-8 stands for, in place of what was in `bytes`. False: it has other characters,
 * and stands for no bytes. */
bool letters_read(const struct letters *letters, const char *text, struct text *bytes);

#endif
