/* Bytes between all ranks, of all sizes around that of a message: they come in order, once, and never late unseen. */
#include "parallel/transfer.h"
#include "parallel/world.h"
#include "support/test_mpi.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TAG   9
#define RANKS 8

static struct world world;
static struct error error;
static const size_t sizes[] = {0, 1, 4096, 4u << 20, (4u << 20) + 1, 9u << 20};
#define SIZES (sizeof sizes / sizeof *sizes)

/* What one rank sends another; several texts of it in a row. */
static size_t size_between(int from, int to, int part)
{
    return sizes[(size_t)(from * 5 + to * 3 + part) % SIZES];
}

static unsigned char byte_of(int from, int to, size_t place)
{
    return (unsigned char)((size_t)(from * 31 + to * 7) + place * 2654435761u / 65536);
}

struct arrival {
    int from;
    size_t come, wrong, fail_at;
};

static bool take(void *context, const void *bytes, size_t count, struct error *why)
{
    struct arrival *arrival = context;
    const unsigned char *found = bytes;
    if (arrival->come >= arrival->fail_at)
        return error_set(why, ERROR_IO, "no room for what rank %d sends", arrival->from);
    for (size_t i = 0; i < count; i++)
        arrival->wrong += found[i] != byte_of(arrival->from, world.rank, arrival->come + i);
    arrival->come += count;
    return true;
}

/* Everybody sends everybody, itself included, two texts. */
static bool all_to_all(size_t fail_at, struct arrival arrivals[RANKS])
{
    struct transfer_out outs[2 * RANKS];
    struct transfer_in ins[RANKS];
    unsigned char *memory[RANKS];
    for (int r = 0; r < world.size; r++) {
        size_t first = size_between(world.rank, r, 0), second = size_between(world.rank, r, 1);
        memory[r] = memory_need(first + second, 1);
        for (size_t i = 0; i < first + second; i++)
            memory[r][i] = byte_of(world.rank, r, i);
        outs[2 * r] = (struct transfer_out){r, memory[r], first};
        outs[2 * r + 1] = (struct transfer_out){r, memory[r] + first, second};
        arrivals[r] = (struct arrival){.from = r, .fail_at = fail_at};
        ins[r] = (struct transfer_in){r, size_between(r, world.rank, 0) + size_between(r, world.rank, 1), take,
                                      &arrivals[r]};
    }
    bool ok = transfer_run(world.comm, TAG, outs, 2 * (size_t)world.size, ins, (size_t)world.size, 60, "it", &error);
    for (int r = 0; r < world.size; r++)
        memory_free(memory[r]);
    return ok;
}

static void all_bytes_arrive_in_order(void)
{
    struct arrival arrivals[RANKS];
    for (int round = 0; round < 3; round++) {
        CU_ASSERT_TRUE(all_to_all(SIZE_MAX, arrivals));
        for (int r = 0; r < world.size; r++) {
            CU_ASSERT_EQUAL(arrivals[r].come, size_between(r, world.rank, 0) + size_between(r, world.rank, 1));
            CU_ASSERT_EQUAL(arrivals[r].wrong, 0);
        }
    }
}

static void who_cannot_take_it_hinders_nobody(void)
{
    struct arrival arrivals[RANKS];
    bool guilty = world.rank == world.size - 1, ok = all_to_all(guilty ? 0 : SIZE_MAX, arrivals);
    CU_ASSERT_EQUAL(ok, !guilty);
    if (guilty)
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no room for what rank "));
    all_bytes_arrive_in_order();
}

/* Last of all: the tag is spoilt after it. */
static void who_does_not_come_is_named(void)
{
    if (world.size == 1)
        return;
    struct arrival arrival = {.from = world.size - 1, .fail_at = SIZE_MAX};
    const struct transfer_in in = {world.size - 1, 1000, take, &arrival};
    char expected[60];
    double start = clock_seconds();
    snprintf(expected, sizeof expected, "rank %d has not finished it in 0.2 s", world.size - 1);
    if (world.rank < world.size - 1) {
        CU_ASSERT_FALSE(transfer_run(world.comm, TAG, NULL, 0, &in, 1, 0.2, "it", &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_LATE);
        CU_ASSERT_STRING_EQUAL(error.text, expected);
        CU_ASSERT(clock_seconds() - start < 5);
    }
    MPI_Barrier(world.comm);
}

static void opening(void)
{
    world_open(&world);
    CU_ASSERT_TRUE(world.size <= RANKS);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"all bytes arrive, in order", all_bytes_arrive_in_order},
        {"who cannot take what comes hinders nobody", who_cannot_take_it_hinders_nobody},
        {"who does not come is named", who_does_not_come_is_named},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/transfer", cases);
}
