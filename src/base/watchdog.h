/* Watches the calls of one thread that a disk can make endless: while the thread is in one, it can neither notice that
 * itself nor hear of it from others. A pair of begin and end costs next to nothing, so that each write of a line may
 * have one. */
#ifndef BASE_WATCHDOG_H
#define BASE_WATCHDOG_H

#include "base/error.h"

/* Local. The process's only one. lost: called by a thread of the watchdog's own with ERROR_LATE when a call has taken
 * `limit_s` seconds, those in which the process was stopped not counted; it ends the process and does not return.
 * ERROR_IO: there is no thread for it. */
bool watchdog_open(double limit_s, void (*lost)(const struct error *error), struct error *error) WARN_UNUSED;

/* Local. Accepts a closed one. */
void watchdog_close(void);

/* Local, always by the same thread, and in pairs; of those in another pair only the outer counts. What has to answer
 * ("RUN/metrics.jsonl"); borrowed. limit_s: for this call; 0: that of the watchdog. While none is open nothing
 * happens. */
void watchdog_begin(const char *what, double limit_s);
void watchdog_end(void);

#endif
