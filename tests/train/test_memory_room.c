/* Whether the ranks of a node have the memory that they need: by limits of each kind, and a start under a real one. */
#include "train/memory_room.h"
#include "train/session_support.h"

#include <sys/resource.h>

static struct memory_limit limit(enum memory_reach reach, uint64_t group, double bytes)
{
    return (struct memory_limit){.reach = reach, .group = group, .bytes = bytes, .name = "a limit"};
}

/* Rank r needs r + 1 for itself, and 10 of the shared; ranks 0 and 1 are in the group 5, all of them in the group 6. */
static void each_limit_counts_those_that_it_is_for(void)
{
    int n = world.size, r = world.rank;
    struct memory_limits limits = {.present = 100};
    struct memory_claim claim = {.own = r + 1, .shared = 10};
    struct memory_room rooms[MEMORY_LIMITS];
    double all = n * (n + 1) / 2.0 + 10 * n;
    const double needed[] = {r + 1, r + 1 + 10 * n, all, all, all, n > 1 ? 23 : 11};
    memory_limits_add(&limits, &(struct memory_limit){.reach = MEMORY_OWN, .bytes = 1000});
    const struct memory_limit others[] = {limit(MEMORY_ADDRESS, 0, 1000), limit(MEMORY_NODE, 0, 1000),
                                          limit(MEMORY_MACHINE, 0, 1000), limit(MEMORY_GROUP, 6, 1000)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        memory_limits_add(&limits, &others[i]);
    if (r < 2)
        memory_limits_add(&limits, &(struct memory_limit){.reach = MEMORY_GROUP, .group = 5, .bytes = 30});
    memory_room_weigh(&world, &limits, &claim, rooms);
    for (size_t i = 0; i < limits.count; i++) {
        CU_ASSERT_EQUAL(rooms[i].needed, needed[i]);
        CU_ASSERT_EQUAL(rooms[i].ranks, i < 2 ? 1 : i == 5 && n > 2 ? 2 : n);
        CU_ASSERT_EQUAL(rooms[i].limit.bytes, i == 3 ? 1000 + 100 * n : i == 5 ? 30 : 1000);
    }
    CU_ASSERT_PTR_EQUAL(memory_room_least(rooms, limits.count), &rooms[r < 2 ? 5 : 2]);
    CU_ASSERT_PTR_NULL(memory_room_least(rooms, 0));
}

static void too_little_is_refused_in_words(void)
{
    struct memory_room room = {.limit = limit(MEMORY_GROUP, 1, 2e6), .needed = 3e6, .ranks = 2, .host = "node7"};
    CU_ASSERT_FALSE(memory_room_is_enough(&room, memory_room_less(true), &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    expect_text(error.text,
                "2 ranks on node7 need 3.0 MB of memory at least, and a limit is 2.0 MB: ask for more, or "
                "start fewer ranks a node; a smaller train.microbatch or checkpoint.background: false needs "
                "less");
    room.ranks = 1;
    CU_ASSERT_FALSE(memory_room_is_enough(&room, memory_room_less(false), &error));
    expect_text(error.text, "1 rank on node7 needs 3.0 MB of memory at least, and a limit is 2.0 MB: ask for more; a "
                            "smaller train.microbatch needs less");
    room.needed = room.limit.bytes;
    CU_ASSERT_TRUE(memory_room_is_enough(&room, NULL, &error));
}

/* A gradient of 780 MB, of which nothing is allocated. The last rank alone has the limit. */
static void a_start_that_cannot_get_its_memory_is_refused_before_it(void)
{
    struct trial trial = {0};
    struct rlimit before, less;
#ifdef __SANITIZE_ADDRESS__ /* whose own data are beyond any such limit */
    return;
#endif
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_DATA, &before), 0);
    less = (struct rlimit){.rlim_cur = 400000000, .rlim_max = before.rlim_max};
    if (world.rank == world.size - 1)
        CU_ASSERT_EQUAL(setrlimit(RLIMIT_DATA, &less), 0);
    bool ok = trial_start_among(&trial, &world, test_mpi_path("large"),
                                SETTINGS("model=[{layer: dense, units: 20000}, {layer: dense, units: 9000}, {layer: "
                                         "dense, units: 10}]"));
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_DATA, &before), 0);
    CU_ASSERT_FALSE(ok);
    expect_error(&world, ERROR_USAGE, "and the limit of a process's data (ulimit -d) is 400.0 MB");
    CU_ASSERT_PTR_NULL(trial.session.world);
    if (trial_start(&trial, test_mpi_path("large"), NULL))
        trial_close(&trial);
}

static const struct test_case cases[] = {
    {"a world opens", a_world_opens},
    {"each limit counts those that it is for", each_limit_counts_those_that_it_is_for},
    {"too little is refused in words", too_little_is_refused_in_words},
    {"a start that cannot get its memory is refused before it",
     a_start_that_cannot_get_its_memory_is_refused_before_it},
    {"a world closes", a_world_closes},
    {0},
};

int main(int argc, char **argv)
{
    return session_tests_run(&argc, &argv, "train/memory_room", cases);
}
