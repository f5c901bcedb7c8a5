/* The cores of this process: on which it may run, how long it waits for them, and who else works there. What the system
 * does not tell is not known, and no error. */
#ifndef BASE_CORES_H
#define BASE_CORES_H

#include "base/text.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* Local. Appends a set as the kernel writes it, "0-3,8"; and reads that. False if it is something else. */
void cores_append(const cpu_set_t *cores, struct text *text);
bool cores_read(const char *list, cpu_set_t *cores);

/* Local. Whether all of `part` are in `whole`. */
bool cores_are_within(const cpu_set_t *part, const cpu_set_t *whole);

/* What a thread has waited for, in seconds since some time in the past. */
struct cores_wait {
    double now_s;
    double ready_s;  /* it could have worked, and had no core; what the kernel calls run delay */
    double others_s; /* other threads of this process have worked */
    double held_s;   /* its control group was held back, because it had used up its quota of CPU; summed over cores */
};

/* Local. As it is now for the calling thread. False if this kernel does not count. */
bool cores_wait_now(struct cores_wait *wait);

/* Local. Part of it: for how long, by the files below a root ("": the system's), the control groups of this process
 * have been held back (v1 and v2, each up to the outermost that is to be seen, the one that was held longest). 0: none.
 */
double cores_held_s(const char *root);

/* Local. Looks for 0.3 s which process works most on these cores, other than this one and what its parent
 * has started beside it. False if none can be seen that works there for a tenth of that time: those of other containers
 * cannot. */
bool cores_busy_process(const cpu_set_t *cores, pid_t *pid, char name[17]);

#endif
