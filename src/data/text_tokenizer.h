/* The tokenizer of a text: that of a file, which validation data need not name again. */
#ifndef DATA_TEXT_TOKENIZER_H
#define DATA_TEXT_TOKENIZER_H

#include "base/error.h"
#include "data/description.h"
#include "data/tokenizer/tokenizer.h"
#include "data/watched.h"

/* Local. Opens the one of the file at `path`, and begins to watch it (*watched, all 0 before); path NULL: that of the
 * training data, which has one. ERROR_USAGE: the training data (`train`, or NULL) has another one, or none; else errors
 * of the file. Nothing stays after failure, but *watched is to be released. */
bool text_tokenizer_open(struct tokenizer *tokenizer, const char *path, const struct description *train,
                         struct watched *watched, struct error *error) WARN_UNUSED;

#endif
