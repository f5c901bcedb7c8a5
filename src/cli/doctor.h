/* What `lockstep doctor` finds: lines with a verdict, and what to do. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "base/error.h"

enum verdict { VERDICT_GOOD, VERDICT_WARNING, VERDICT_BAD };

/* Local. One line: "good     shared memory   /dev/shm: 16.2 GB free", and the remedy below it, NULL if there is none.
 */
void doctor_say(enum verdict verdict, const char *about, const char *remedy, const char *format, ...) FORMAT(4, 5);

/* Local. What Slurm says of the job that this process belongs to, or, if there is none, of its partitions. save_s: what
 * a save takes, 0: not known. */
void doctor_ask_slurm(double save_s);

/* Local. The limits of this process (ulimit) that a job can meet. */
void doctor_say_limits(void);

#endif
