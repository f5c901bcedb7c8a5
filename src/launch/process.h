/* A child process: the launcher (mpirun, srun) of a job, or a tool that is asked something. One thread; signals are
 * waited for, not handled, so that none is lost and no call is interrupted. */
#ifndef LAUNCH_PROCESS_H
#define LAUNCH_PROCESS_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
    pid_t pid; /* 0: none, or it was waited for */
    int code;  /* of its end: exit code, or 128 + signal */
};

/* Local. From here on this process gets its signals by process_await, but for SIGPIPE, SIGXFSZ and SIGTTOU, which are
 * ignored, by children as well; else children begin with the signals as they were. */
void process_take_signals(void);

/* Local. Starts words[0], found by PATH, with these words (NULL-terminated), in a process group of its own, so that a
 * terminal's Ctrl-C comes to us only, and with nothing to read. If this process dies, it gets SIGUSR2. ERROR_NOT_FOUND,
 * ERROR_IO: it could not be started. */
bool process_start(struct process *process, char *const *words, struct error *error) WARN_UNUSED;

/* Local. The same, but what it prints goes to the descriptor `output`, and it reads what is written to *input: an end
 * of a pipe that does not block, which the caller closes. */
bool process_start_piped(struct process *process, char *const *words, int output, int *input,
                         struct error *error) WARN_UNUSED;

/* Local. Whether it still runs; if it has just ended, its code is set. */
bool process_runs(struct process *process);

/* Local. Waits up to `seconds` for a signal to this process or the end of a child. Returns the signal (SIGCHLD: a child
 * has ended), 0 if the time is over. */
int process_await(double seconds);

/* Local. To the process; or to its whole group. A process that is gone is no error. */
void process_signal(const struct process *process, int signal);
void process_signal_group(const struct process *process, int signal);

/* Local. Runs a tool to its end, and appends what it has printed to `output`, both streams; kills it after limit_s.
 * Returns its code; -1: it could not be started, or was too late. */
int process_ask(char *const *words, double limit_s, struct text *output);

/* Local. Runs `count` tools to their ends, all at once, without their output; kills what is left of them after limit_s.
 * NULL instead of its words: that one is passed over. ok[i]: it has ended in time, with code 0. */
void process_try(char *const *const *tools, size_t count, double limit_s, bool *ok);

#endif
