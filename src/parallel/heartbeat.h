/* The heartbeat: how a job notices that one of its ranks is gone without having died. A process that was stopped, a
 * node that hangs, a network that was cut: nothing tells the others, and MPI lets them wait for ever.
 *
 * A thread of each rank sends a sign of life now and then, whatever else the rank is doing: every rank to rank 0, rank
 * 0 to every rank. Who has been silent for too long is lost, and the job with it. It covers all that has no limit of
 * its own (agreement.h): the steps, the exchange, opening the data. A rank that is alive and does not get on, because
 * it hangs in a read, goes on beating: that is not noticed here.
 *
 * Silence is counted in own beats, not in time: a job that was suspended as a whole wakes up without a false alarm. */
#ifndef PARALLEL_HEARTBEAT_H
#define PARALLEL_HEARTBEAT_H

#include "base/error.h"
#include "parallel/world.h"

struct heartbeat; /* opaque */

/* Collective over world, which is borrowed; limit_s must be equal on every rank, and > 0: seconds of silence that make
 * a rank lost. `lost` is then called by the thread, with ERROR_LATE that names the rank and its host; it ends the job,
 * and does not return. Without MPI_THREAD_MULTIPLE *heartbeat becomes NULL: nobody watches. ERROR_IO: there is no
 * thread. */
bool heartbeat_open(struct heartbeat **heartbeat, const struct world *world, double limit_s,
                    void (*lost)(const struct error *error), struct error *error) WARN_UNUSED;

/* Collective over world. Who waits here for the others still notices who is lost. NULL is fine (on all ranks). */
void heartbeat_close(struct heartbeat *heartbeat);

#endif
