/* A team: the thread that trains and others of its process, which share loops of a few microseconds and more.
 *
 * A loop is cut into parts that do not depend on each other; which thread does which part hangs on who is there first,
 * so that nobody waits for a thread that the system has not woken yet, and no bit may hang on it. A thread begins with
 * its share of the parts, the same one in each loop of as many parts, which its cache may still hold, and goes on with
 * what others have not begun.
 *
 * Between two loops the threads spin for a moment, and then sleep. They take no signals, call neither MPI nor HDF5, and
 * are never in a loop while their caller is not: whatever the caller does between two loops (fork, exit, a wait that a
 * watchdog ends), it does alone. */
#ifndef BASE_TEAM_H
#define BASE_TEAM_H

#include "base/error.h"

#include <stddef.h>

#define TEAM_THREADS_MOST 1024
#define TEAM_PARTS_MOST   65535 /* of a loop */

struct team; /* opaque */

/* Local. A team of `threads` (1 to TEAM_THREADS_MOST), of which the caller is one. The others have the floating-point
 * environment that the caller has now, and run on the cores that it may run on, but not on its own. ERROR_IO: the
 * system has no more threads. */
bool team_open(struct team **team, size_t threads, struct error *error) WARN_UNUSED;

/* Local, by the thread that has opened it, not in a loop. The threads are gone when it returns. Accepts NULL. */
void team_close(struct team *team);

/* Local. How many they are; 1 for NULL, which is the caller alone. */
size_t team_threads(const struct team *team);

/* Local, by the thread that has opened the team, and not in a loop of it. Calls part(context, i, thread) once for each
 * i < parts <= TEAM_PARTS_MOST, in any order and by several threads at the same time, and returns when all are done:
 * what they have written can then be read. `thread` < team_threads says whose the memory is that a part may use as its
 * own: no two parts have the same at the same time. */
void team_run(struct team *team, size_t parts, void (*part)(void *context, size_t i, size_t thread), void *context);

/* Local. The cores that this process may run on, by its affinity mask; at least 1. */
size_t team_cores(void);

#endif
