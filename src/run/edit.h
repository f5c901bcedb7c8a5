/* An edit of a job, in words. */
#ifndef RUN_EDIT_H
#define RUN_EDIT_H

#include "base/text.h"

/* Local. Appends what `now` has instead of `before`, both as job_write makes them: "  units: 64 -> 32; ...", some lines
 * at most. "it lacks something": it only has less. */
void edit_describe(const char *before, const char *now, struct text *words);

#endif
