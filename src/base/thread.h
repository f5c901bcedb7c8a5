/* Threads beside the one that trains. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* Local. Starts a thread to which no signals come but for its own faults (others are for the thread that trains, and
 * here they would only interrupt system calls), and which does not take the core from the thread that trains when it
 * wakes, but waits for its turn. False: the system has none left. */
bool thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

/* Local. Timed waits for it go by the monotonic clock, which nobody sets. */
void thread_init_condition(pthread_cond_t *condition);

/* Local. The end of such a wait, from now on. */
struct timespec thread_end(double seconds);

#endif
