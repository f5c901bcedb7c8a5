/* Whether the memory that the ranks need is there: beside what limits it (base/memory_limit.h), on each node. */
#ifndef TRAIN_MEMORY_ROOM_H
#define TRAIN_MEMORY_ROOM_H

#include "base/error.h"
#include "base/memory_limit.h"
#include "parallel/world.h"
#include "run/environment.h"
#include "train/memory_plan.h"

/* What one rank needs in all, in bytes. */
struct memory_claim {
    double own;    /* private */
    double shared; /* its pieces of what the ranks of its node share */
};

/* A limit of one rank, and what counts against it. */
struct memory_room {
    struct memory_limit limit;
    double needed;
    int ranks; /* whose needs these are together */
    char host[ENVIRONMENT_HOST];
};

/* Collective over world. What this rank's limits are held against: rooms[i] of limits->items[i]. The bytes of
 * MEMORY_MACHINE become those that there were before any of these ranks had something. */
void memory_room_weigh(const struct world *world, const struct memory_limits *limits, const struct memory_claim *claim,
                       struct memory_room rooms[MEMORY_LIMITS]);

/* Local. The one of them that leaves least, or is exceeded most; NULL: there are none. Borrowed. */
const struct memory_room *memory_room_least(const struct memory_room *rooms, size_t count);

/* Local. Whether it is enough: ERROR_USAGE says what is needed where, what allows less, and what needs less. `less`:
 * the words for that; NULL: there are none. */
bool memory_room_is_enough(const struct memory_room *room, const char *less, struct error *error);

/* Local. What needs less of a plan. */
const char *memory_room_less(bool two_sets);

/* Collective over world; the same verdict on every rank. Before the memory of this plan, which is the rank's own, is
 * allocated: whether it can be had. ERROR_USAGE if a limit will refuse it, or somebody will be killed over it; a
 * warning if one will only slow it down. What the machine has left is waited for, a few seconds: processes may be about
 * to end.
 */
bool memory_room_check(const struct world *world, const struct memory_plan *plan, struct error *error) WARN_UNUSED;

/* Collective over world. The same for what a rank wants beside all that it has already. */
bool memory_room_check_more(const struct world *world, const struct memory_claim *more,
                            struct error *error) WARN_UNUSED;

#endif
