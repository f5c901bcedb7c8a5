/* What a tokenizer.json says about how texts are cut: "pre_tokenizer". */
#ifndef DATA_TOKENIZER_STEPS_H
#define DATA_TOKENIZER_STEPS_H

#include "base/error.h"

struct cutter;
struct json_t;

/* Local. The steps of a cutter that has none, from the root of the file. After failure it has some. ERROR_USAGE: there
 * are steps that are not known here; ERROR_CORRUPT. */
bool steps_read(struct cutter *cutter, const struct json_t *root, struct error *error) WARN_UNUSED;

#endif
