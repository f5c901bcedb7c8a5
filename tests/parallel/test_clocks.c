/* The clocks of ranks on one node, which are one clock; and one that was set to another time, as on another node. */
#include "parallel/clocks.h"

#include "base/clock.h"
#include "support/test_mpi.h"

#include <math.h>
#include <stdlib.h>

static struct world world;

static void opening(void)
{
    world_open(&world);
    CU_ASSERT_TRUE(world.size > 0);
}

static void clocks_of_a_node_are_one(void)
{
    double precision_s = -1, offset_s = clocks_offset(&world, &precision_s);
    CU_ASSERT_EQUAL(offset_s, 0);
    CU_ASSERT_TRUE(world.rank == 0 ? precision_s == 0 : precision_s > 0 && precision_s < 0.1);
}

static double ahead_s;

/* What clocks.c asks, on a node whose clock began `ahead_s` earlier. */
double __wrap_clock_seconds(void);
double __real_clock_seconds(void);
double __wrap_clock_seconds(void)
{
    return __real_clock_seconds() + ahead_s;
}

static void a_clock_that_began_earlier_is_set_back(void)
{
    double precision_s;
    ahead_s = 1000.5 * world.rank;
    double offset_s = clocks_offset(&world, &precision_s);
    CU_ASSERT_TRUE(fabs(offset_s + ahead_s) <= precision_s);
    ahead_s = 0;
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"the clocks of a node are one", clocks_of_a_node_are_one},
        {"a clock that began earlier is set back", a_clock_that_began_earlier_is_set_back},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/clocks", cases);
}
