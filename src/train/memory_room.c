#include "train/memory_room.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/memory_use.h"
#include "base/wait.h"
#include "base/watchdog.h"
#include "parallel/node.h"

#include <string.h>

#define WAIT_S 10 /* for others to leave the machine */

/* What a rank tells the others of its node. */
struct report {
    struct memory_claim claim;
    double present;
    uint64_t groups[MEMORY_LIMITS]; /* in which its memory counts; 0: none */
};

static bool is_member(const struct report *report, uint64_t group)
{
    bool is = false;
    for (size_t i = 0; i < MEMORY_LIMITS; i++)
        is = is || report->groups[i] == group;
    return is;
}

/* One limit, by the reports of the ranks of the node. */
static void weigh(struct memory_room *room, const struct report *reports, const struct node *node)
{
    struct memory_limit *limit = &room->limit;
    bool is_of_one = limit->reach == MEMORY_OWN || limit->reach == MEMORY_ADDRESS;
    for (int r = 0; r < node->size; r++) {
        const struct report *report = &reports[r];
        bool is_meant = is_of_one                      ? r == node->rank
                        : limit->reach == MEMORY_GROUP ? is_member(report, limit->group)
                                                       : true;
        room->ranks += is_meant;
        room->needed += is_meant ? report->claim.own : 0;
        if (limit->reach == MEMORY_ADDRESS || (is_meant && !is_of_one))
            room->needed += report->claim.shared;
        if (limit->reach == MEMORY_MACHINE)
            limit->bytes += report->present;
    }
}

/* Collective over node. */
static void weigh_all(const struct node *node, const struct memory_limits *limits, const struct memory_claim *claim,
                      struct memory_room rooms[MEMORY_LIMITS])
{
    struct report own = {.claim = *claim, .present = limits->present};
    struct report *reports = memory_need((size_t)node->size, sizeof *reports);
    for (size_t i = 0; i < limits->count; i++)
        own.groups[i] = limits->items[i].reach == MEMORY_GROUP ? limits->items[i].group : 0;
    watchdog_begin_meeting("the ranks of each node tell what memory they need", 0, false);
    MPI_Allgather(&own, sizeof own, MPI_BYTE, reports, sizeof own, MPI_BYTE, node->comm);
    watchdog_end();
    for (size_t i = 0; i < limits->count; i++) {
        rooms[i] = (struct memory_room){.limit = limits->items[i]};
        environment_host(rooms[i].host);
        weigh(&rooms[i], reports, node);
    }
    memory_free(reports);
}

void memory_room_weigh(const struct world *world, const struct memory_limits *limits, const struct memory_claim *claim,
                       struct memory_room rooms[MEMORY_LIMITS])
{
    struct node node;
    node_open(&node, world, 0);
    weigh_all(&node, limits, claim, rooms);
    node_close(&node);
}

const struct memory_room *memory_room_least(const struct memory_room *rooms, size_t count)
{
    const struct memory_room *least = NULL;
    for (size_t i = 0; i < count; i++)
        if (!least || rooms[i].needed * least->limit.bytes > least->needed * rooms[i].limit.bytes)
            least = &rooms[i];
    return least;
}

const char *memory_room_less(bool two_sets)
{
    return two_sets ? "a smaller train.microbatch or checkpoint.background: false" : "a smaller train.microbatch";
}

bool memory_room_is_enough(const struct memory_room *room, const char *less, struct error *error)
{
    bool is_one = room->ranks == 1;
    return room->needed <= room->limit.bytes ||
           error_set(error, ERROR_USAGE,
                     "%d rank%s on %s need%s %.1f MB of memory at least, and %s is %.1f MB: ask for more%s%s%s%s",
                     room->ranks, is_one ? "" : "s", room->host, is_one ? "s" : "", room->needed / 1e6,
                     room->limit.name, room->limit.bytes / 1e6, is_one ? "" : ", or start fewer ranks a node",
                     less ? "; " : "", less ? less : "", less ? " needs less" : "");
}

/* Local. Gives the others on this machine a moment to leave, if that would be enough. */
static void wait_for_machine(struct memory_room *room)
{
    struct wait wait = wait_begin(WAIT_S);
    struct memory_limits now = {0};
    memory_limits_of_machine(&now, "");
    double present = room->limit.bytes, looked = now.count > 0 ? now.items[0].bytes : 0;
    while (room->needed > room->limit.bytes && now.count > 0 && !wait_is_over(&wait)) {
        wait_nap(&wait);
        now.count = 0;
        memory_limits_of_machine(&now, "");
        room->limit.bytes = present + (now.count > 0 ? now.items[0].bytes - looked : 0);
    }
}

/* Local. Whether all limits of this rank leave enough; what only slows it down is a warning. */
static bool judge(struct memory_room *rooms, size_t count, const char *less, struct error *error)
{
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        struct error slow;
        if (rooms[i].limit.reach == MEMORY_MACHINE)
            wait_for_machine(&rooms[i]);
        if (!rooms[i].limit.is_soft)
            ok = memory_room_is_enough(&rooms[i], less, error);
        else if (!memory_room_is_enough(&rooms[i], less, &slow))
            log_warn("%s", slow.text);
    }
    return ok;
}

/* Collective over world. Of what this rank wants beside what it has. */
static bool check(const struct world *world, const struct node *node, const struct memory_claim *more, const char *less,
                  struct error *error)
{
    struct memory_limits limits;
    struct memory_use use;
    struct memory_room rooms[MEMORY_LIMITS];
    memory_use_look(&use, true);
    memory_limits_find(&limits);
    bool is_alone = node->size == 1; /* then nothing is shared (parallel/node.h) */
    struct memory_claim claim = {.own = use.own + more->own + (is_alone ? more->shared : 0),
                                 .shared = use.shared + (is_alone ? 0 : more->shared)};
    weigh_all(node, &limits, &claim, rooms);
    return world_agree(world, judge(rooms, limits.count, less, error), error);
}

bool memory_room_check(const struct world *world, const struct memory_plan *plan, struct error *error)
{
    struct node node;
    node_open(&node, world, 0);
    const struct memory_claim more = {memory_plan_private(plan), memory_plan_shared(plan, node.rank == 0)};
    bool ok = check(world, &node, &more, memory_room_less(plan->copies > 1), error);
    node_close(&node);
    return ok;
}

bool memory_room_check_more(const struct world *world, const struct memory_claim *more, struct error *error)
{
    struct node node;
    node_open(&node, world, 0);
    bool ok = check(world, &node, more, NULL, error);
    node_close(&node);
    return ok;
}
