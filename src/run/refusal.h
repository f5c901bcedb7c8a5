/* Why a start of a kept job (submission.h) has come to no life: its first rank tells the supervisor, whose launcher
 * passes on no more than an exit code, if that. */
#ifndef RUN_REFUSAL_H
#define RUN_REFUSAL_H

#include "base/error.h"

/* Local, before a start. Makes the file and its room: on a disk that is full by then there would be none. Forgets what
 * is in it. */
void refusal_reserve(const char *kept);

/* Local. `kept` is the path of the kept job; what is told lies beside it. If it cannot be written it is not told. */
void refusal_write(const char *kept, const struct error *refusal);

/* Local. Removes the file. */
void refusal_remove(const char *kept);

/* Local. What was told since the last call, which forgets it. False: nothing. */
bool refusal_take(const char *kept, struct error *refusal);

#endif
