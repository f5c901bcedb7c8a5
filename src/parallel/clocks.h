/* The clocks of the ranks beside each other: those of several nodes begin at different moments. */
#ifndef PARALLEL_CLOCKS_H
#define PARALLEL_CLOCKS_H

#include "parallel/world.h"

/* Collective over world. What is added to clock_seconds of this rank to have rank 0's of the same moment. Each rank is
 * asked for its clock a few times; the answer that came soonest counts, as given half way (F. Cristian, "Probabilistic
 * clock synchronization", Distributed Computing 3, 1989). *precision_s: half that time, by which it can be wrong. Two
 * clocks that look the same within that are: 0, exactly, as on a node. */
double clocks_offset(const struct world *world, double *precision_s);

#endif
