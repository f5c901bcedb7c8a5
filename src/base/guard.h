/* Work on a file that is mapped into memory. Where the file has become shorter meanwhile, or its disk fails, there are
 * no bytes, and the kernel says so by SIGBUS: here that is an answer, not the end of the process. */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include "base/error.h"

/* Local. Runs work(context), which holds nothing that would have to be given back, in any thread. False if it has
 * touched a place that has no bytes: then it was left there and then, and *where is that place. A SIGBUS outside of
 * guarded work does what it would have done without it. Costs some nanoseconds. */
bool guard_run(void (*work)(void *), void *context, const void **where) WARN_UNUSED;

#endif
