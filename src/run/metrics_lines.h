/* The lines of metrics.jsonl (metrics.h): what they tell, and which of them stay. All in memory. */
#ifndef RUN_METRICS_LINES_H
#define RUN_METRICS_LINES_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a file of metrics knew before it was opened. */
struct metrics_seen {
    uint64_t step;  /* the largest in it */
    double unix_s;  /* when it was last written; 0: there was no file */
    double alive_s; /* how long the life that wrote it last had lived then; 0: it does not tell */
};

/* Local. Moves the lines to keep, those up to `step` that are whole, to the front of `bytes` and returns their length;
 * *seen: what all of them tell, but for unix_s. validates_again: the validation of that very step goes, too. A last
 * line without its break, which is perhaps all that is missing, gets one: behind the bytes is room for it. */
size_t metrics_lines_keep(char *bytes, size_t count, uint64_t step, bool validates_again, struct metrics_seen *seen);

/* Local. Appends those of the lines rest[0 ... count) that come after all that content[0 ... length) tells, which
 * somebody may have edited: an event of a step that stands there, however it is told, is not missing. In front of them
 * a break, if the content lacks its last one. Both are used up; behind the content is room for a byte. */
void metrics_lines_missing(char *rest, size_t count, char *content, size_t length, struct text *missing);

#endif
