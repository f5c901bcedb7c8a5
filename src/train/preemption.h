/* Wishes from outside: somebody wants this job to save, and leave or go on. Handlers set a flag and do nothing else;
 * what any rank has received reaches all ranks with the next step's numbers (see parallel/tally.h). */
#ifndef TRAIN_PREEMPTION_H
#define TRAIN_PREEMPTION_H

/* One bit a signal: the low byte is for leaving, the bits above for going on (see cadence_reason). */
enum {
    PREEMPTION_SIGTERM = 1,
    PREEMPTION_SIGUSR1 = 2,
    PREEMPTION_SIGUSR2 = 4,
    PREEMPTION_SIGINT = 8,
    PREEMPTION_SIGNALS = 15, /* of those above, which end this life of the job */
    PREEMPTION_LEAVE = 0xff,
    PREEMPTION_SIGALRM = 1 << 8, /* save and go on; mpirun passes this signal to its ranks */
};

/* Local. Installs the handlers for SIGTERM, SIGUSR1, SIGUSR2, SIGINT and SIGALRM. A second SIGINT ends the process at
 * once. */
void preemption_watch(void);

/* Local. What this process has received so far; a wish to save and go on is told once. */
unsigned preemption_flags(void);

/* Local. The name of the most urgent signal to leave in a union of flags: "SIGUSR2". Borrowed. */
const char *preemption_reason(unsigned flags);

#endif
