/* The trace of a batch job (see submission.h): a file .lockstep-KEY-DIGEST in the directory that the job is started
 * from, which tells where its run is.
 *
 *   {"run":"run","begun":true,"host":"node7"} */
#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include "base/error.h"

#include <limits.h>
#include <stdint.h>

#define TRACE_OLD_S (30 * 86400) /* nobody comes back to one that is older */

/* Local. The name of a trace. */
bool trace_name(const char *key, uint64_t digest, char path[PATH_MAX]) WARN_UNUSED;

/* Local. The run that the trace knows, and whether the job has begun its work there. False: there is no trace, or
 * somebody else's. */
bool trace_read(const char *path, char run[PATH_MAX], bool *begun);

/* Local. Writes it, and takes old ones of this user out of the same directory, of jobs that never came to their end. */
bool trace_write(const char *path, const char *run, bool begun, struct error *error) WARN_UNUSED;

#endif
