/* Wishes from outside: somebody wants this job to save, and leave or go on. Handlers set a flag and do nothing else;
 * what any rank has received reaches all ranks with the next step's numbers (flags.h).
 *
 * Every signal that would end or stop a process by itself has one of these meanings:
 *
 *   SIGTERM, SIGUSR2         save and leave
 *   SIGUSR1                  the same, or a warning: "so much time is left" (deadline.h)
 *   SIGINT                   save and leave; a second one ends the process at once
 *   SIGHUP                   the terminal or the connection is gone: save and leave, unless it was ignored (nohup)
 *   SIGXCPU                  the soft limit of CPU time (ulimit -t, LSF's and SGE's warning): save and leave
 *   SIGPWR                   the power fails: save and leave
 *   SIGALRM                  save and go on
 *   SIGXFSZ, SIGPIPE         a write that fails, and says why: ignored
 *   SIGTTOU                  a line to a terminal that another job has: ignored, the line is no reason to stand still
 *   SIGQUIT                  end at once, and leave a core: as it comes
 *   SIGTSTP, SIGTTIN         stand still until SIGCONT: as it comes; time in which a process was stopped does not count
 *   SIGVTALRM, SIGPROF, ...  sent only by who has asked for it (a profiler): as it comes */
#ifndef POLICY_PREEMPTION_H
#define POLICY_PREEMPTION_H

#include "policy/flags.h"

/* Local. Installs what the table above says; what was received before counts no more. */
void preemption_watch(void);

/* Local. Puts back what preemption_watch has found: signals do what they did before, and the limit of CPU time is as it
 * was. */
void preemption_release(void);

/* Local. What this process has received so far; a wish to save and go on is told once. */
unsigned preemption_flags(void);

/* Local. Of that only the wishes to leave: nothing that others ask for later is taken away. */
unsigned preemption_wishes_to_leave(void);

/* Local. The name of the most urgent signal to leave in a union of flags: "SIGUSR2". Borrowed. */
const char *preemption_reason(unsigned flags);

#endif
