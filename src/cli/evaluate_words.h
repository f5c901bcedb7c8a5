/* What an evaluation has found, in words and as JSON. */
#ifndef CLI_EVALUATE_WORDS_H
#define CLI_EVALUATE_WORDS_H

#include "base/text.h"
#include "use/evaluate.h"

/* Local. For people: metrics, classes, what is taken for what, the worst samples. */
void evaluate_words(const struct trained *trained, const struct evaluate_report *report, struct text *words);

/* Local. One JSON object on one line; a number that there is not is null. */
void evaluate_json(const struct trained *trained, const struct evaluate_report *report, struct text *json);

#endif
