/* Watches the calls of one thread that can be endless: those that a disk has to answer, and meetings, to which all
 * ranks have to come (MPI_Init, the making of a shared window, MPI_Finalize). While the thread is in one, it can
 * neither notice that itself nor hear of it from others; and a heartbeat is made of messages: it does not live yet, or
 * any more, or beats on while the thread stands in a meeting that another rank has left, or failed in alone.
 *
 * A pair of begin and end costs next to nothing, so that each write of a line may have one. */
#ifndef BASE_WATCHDOG_H
#define BASE_WATCHDOG_H

#include "base/error.h"

struct watchdog_limits {
    double call_s;    /* of a call that a disk has to answer; 0: nobody watches */
    double meeting_s; /* of a meeting; 0: nobody watches */
};

/* Local. The process's only one. lost: called by a thread of the watchdog's own with ERROR_LATE when a call has taken
 * longer than its limit, the time in which the process was stopped not counted; it ends the process and does not
 * return. One that is open gets the new limits, for calls from now on. ERROR_IO: there is no thread for it. */
bool watchdog_open(const struct watchdog_limits *limits, void (*lost)(const struct error *error),
                   struct error *error) WARN_UNUSED;

/* Local. Other limits for calls from now on; of one that is not open nothing comes of it. */
void watchdog_limit(const struct watchdog_limits *limits);

/* Local. Accepts a closed one. */
void watchdog_close(void);

/* Local, always by the same thread, and in pairs; of those in another pair only the outer counts. What has to answer
 * ("RUN/metrics.jsonl"); borrowed. limit_s: for this call; 0: that of the watchdog. While none is open nothing
 * happens. */
void watchdog_begin(const char *what, double limit_s);

/* Local, as watchdog_begin. A meeting ("MPI_Init"); extra_s: what it may take longer than others. Who knows that it has
 * failed in it alone (`is_alone`) waits half as long, and so speaks first. */
void watchdog_begin_meeting(const char *what, double extra_s, bool is_alone);

/* Local. The end of either. */
void watchdog_end(void);

#endif
