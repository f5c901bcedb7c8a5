/* Who holds a run directory: a line in its lock file, written by whoever has the lock. It counts only while the lock is
 * held: nobody takes it away at the end. */
#ifndef RUN_HOLDER_H
#define RUN_HOLDER_H

#include "base/error.h"
#include "run/environment.h"
#include "run/submission.h"

struct holder {
    char host[ENVIRONMENT_HOST];
    char key[SUBMISSION_KEY]; /* of its batch job or supervisor; "": it was started by hand, or does not tell */
    bool is_batch;
    long pid; /* of its rank 0 */
    double since_unix;
};

/* Local. Tells, durably, that this process holds the run: key as in submission.h. -1: a file system without locks. */
void holder_write(int lock, const char *key);

/* Local. Who holds the run, or has held it last. False: nobody tells. */
bool holder_read(const char *run, struct holder *holder);

/* Local. Whether the lock of the run, if it is held, is that of others than the start with this key. */
bool holder_is_other(const char *run, const char *key);

/* Local. Whether they will go on to hold it: another batch job, or one whose supervisor lives on this host. (Without a
 * supervisor they may be about to leave, as those of an mpirun that was just killed.) Looks again after a moment: the
 * lock may be older than the line. */
bool holder_stays(const char *run, const char *key);

/* Local. The error for a lock that does not become free: ERROR_BUSY names who holds it, and what to do; ERROR_IO if it
 * is an earlier start of the same job. False. */
bool holder_refuse(const char *run, const char *key, struct error *error);

#endif
