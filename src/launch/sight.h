/* A supervised run as it is seen from outside: whether the job is at work there, when it gave its last sign of life,
 * and what its lives tell. */
#ifndef LAUNCH_SIGHT_H
#define LAUNCH_SIGHT_H

#include "base/directory.h"
#include "run/run_state.h"
#include "run/submission.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct sight {
    const char *path;              /* the run directory of the job; borrowed, as ... */
    struct submission *submission; /* ... the job as it is kept */
    char lock[PATH_MAX];           /* held while the job is at work, and hears signals */
    struct directory directory;    /* the run directory, held since the job was seen at work there */
    struct run_state run;          /* as it was looked at last */
    double alive_s;                /* when it was seen at work or had written last (clock_seconds) */
    off_t metrics_bytes;           /* by then */
};

/* Local. Holds the directory, if it is there: it may be moved sooner than the first look. */
void sight_init(struct sight *sight, const char *path, struct submission *submission);
void sight_release(struct sight *sight);

/* Local. Looks at the run anew. One that cannot be looked at has not begun, or its disk is away: it stays as it was
 * seen last. */
void sight_look(struct sight *sight);

/* Local. Whether somebody has the lock; whether it is this job. */
bool sight_is_locked(const struct sight *sight);
bool sight_is_at_work(const struct sight *sight);

/* Local. The same, and what follows if it is: it is alive, its trace is told, and its directory held. has_worked: it
 * was at work already in this launch, and what is held is its directory, whatever became of the name. */
bool sight_find_work(struct sight *sight, bool has_worked);

/* Local. A launch begins: alive by now. */
void sight_expect(struct sight *sight);

/* Local. For how long the job, which does not have the lock, has given no sign of life. */
double sight_silence_s(struct sight *sight);

/* Local. Whether its metrics have grown since the last call: that tells of a job that is alive, whatever has become of
 * its lock. */
bool sight_is_writing(struct sight *sight);

/* Local. Whether somebody has moved the run directory while the job was at work: what has become of it is to be seen
 * where that is now (in words), and a start would not find it. */
bool sight_is_moved(const struct sight *sight, char where[PATH_MAX]);

/* Local. Whether files can be made in the run directory for the next start: not where it is another one now, or its
 * disk away. */
bool sight_is_open(const struct sight *sight);

#endif
