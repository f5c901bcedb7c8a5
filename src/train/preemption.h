/* Wishes from outside: somebody wants this job to save and leave. Handlers set a flag and do nothing else; what any
 * rank has received reaches all ranks with the next step's numbers (see parallel/tally.h). */
#ifndef TRAIN_PREEMPTION_H
#define TRAIN_PREEMPTION_H

/* One bit a signal. */
enum {
    PREEMPTION_SIGTERM = 1,
    PREEMPTION_SIGUSR1 = 2,
    PREEMPTION_SIGUSR2 = 4,
    PREEMPTION_SIGINT = 8,
    PREEMPTION_ANY = 15,
};

/* Local. Installs the handlers for SIGTERM, SIGUSR1, SIGUSR2 and SIGINT. A second SIGINT ends the process at once. */
void preemption_watch(void);

/* Local. What this process has received so far. */
unsigned preemption_flags(void);

/* Local. The name of the first signal in a union of flags: "SIGUSR1". Borrowed. */
const char *preemption_reason(unsigned flags);

#endif
