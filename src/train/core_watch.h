/* Whether the ranks have their cores for themselves. Two mpirun on one machine bind their ranks to the same cores, and
 * nobody tells: both jobs then take more than twice as long. At the start the ranks compare on which cores they may
 * run; in the first minute of training each one looks every few seconds how long it was ready to work and had no core.
 * What is found is said once, with what to do. */
#ifndef TRAIN_CORE_WATCH_H
#define TRAIN_CORE_WATCH_H

#include "base/cores.h"
#include "parallel/node.h"
#include "parallel/tally.h"

#include <stdint.h>

struct core_watch {
    cpu_set_t cores; /* of this rank, when it started */
    size_t threads;  /* that compute in it */
    bool is_crowded; /* more of them in this job than cores: that they wait is no news */
    bool is_told;
    unsigned windows; /* that are still to come */
    struct cores_wait begin;
    uint64_t first_step; /* of the window */
    double length_s;     /* of the last one, */
    double share;        /* how much of it this rank has waited for a core, */
    bool is_held;        /* and whether most of that was because of a quota */
};

/* Collective over world. A warning where ranks of this job have fewer cores together than they are, although the node
 * has more. Ranks that may run on all cores of a node that has too few are what mpirun --oversubscribe asks for: no
 * warning. */
void core_watch_begin(struct core_watch *watch, const struct world *world, const struct node *node, size_t threads);

/* Local. Behind this rank's part of a step: looks at the end of a window. Returns `share`, for the tally: its column
 * LEAF_CORE_SHARE. */
double core_watch_share(struct core_watch *watch, uint64_t step);

/* Collective over world, once the tally of a step is shared: a warning, once, when some rank has waited too long. */
void core_watch_tell(struct core_watch *watch, const struct world *world, const struct tally *tally);

#endif
