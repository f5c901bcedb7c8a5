/* The heartbeat among ranks that live. What happens when one does not: tests/system/silent_rank. */
#include "parallel/heartbeat.h"
#include "support/test_mpi.h"

#include <stdio.h>
#include <stdlib.h>

static struct world world;

/* It must not return, and an alarm here is a false one. */
static void lost(const struct error *error)
{
    fprintf(stderr, "rank %d: %s\n", world.rank, error->text);
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
}

static void opening(void)
{
    world_open(&world);
}

static void closing(void)
{
    world_close(&world);
}

static struct heartbeat *open_one(double limit_s)
{
    struct heartbeat *heartbeat = NULL;
    struct error error;
    CU_ASSERT_TRUE(heartbeat_open(&heartbeat, &world, limit_s, lost, &error));
    CU_ASSERT_EQUAL(heartbeat != NULL, world.size > 1);
    return heartbeat;
}

static void it_comes_and_goes(void)
{
    for (int round = 0; round < 20; round++)
        heartbeat_close(open_one(round % 2 ? 60 : 20));
    heartbeat_close(NULL);
}

/* Neither in MPI nor out of it. */
static void who_works_for_longer_than_the_limit_is_not_lost(void)
{
    struct heartbeat *heartbeat = open_one(2);
    if (world.size > 1 && world.rank == world.size - 1)
        test_nap(3);
    MPI_Barrier(world.comm);
    heartbeat_close(heartbeat);
}

static void who_comes_late_to_the_end_is_not_lost(void)
{
    struct heartbeat *heartbeat = open_one(2);
    if (world.size > 1 && world.rank == 0)
        test_nap(3);
    heartbeat_close(heartbeat);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"it comes and goes", it_comes_and_goes},
        {"who works for longer than the limit is not lost", who_works_for_longer_than_the_limit_is_not_lost},
        {"who comes late to the end is not lost", who_comes_late_to_the_end_is_not_lost},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/heartbeat", cases);
}
