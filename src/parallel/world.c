#include "parallel/world.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "parallel/promise.h"

#include <limits.h>
#include <string.h>

#define FILL_RATE 1e8 /* bytes a second, at least, of memory that becomes real */

static void meet(void)
{
    watchdog_begin_meeting("the ranks agree with each other", 0, false);
}

void world_open(struct world *world)
{
    int size, own, leader, place = 0;
    MPI_Comm shared;
    MPI_Comm_rank(MPI_COMM_WORLD, &own);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, own, MPI_INFO_NULL, &shared);
    leader = own;
    MPI_Bcast(&leader, 1, MPI_INT, 0, shared);
    MPI_Comm_free(&shared);
    int *leaders = memory_need((size_t)size, sizeof *leaders);
    MPI_Allgather(&leader, 1, MPI_INT, leaders, 1, MPI_INT, MPI_COMM_WORLD);
    for (int r = 0; r < size; r++)
        place += leaders[r] < leader || (leaders[r] == leader && r < own);
    memory_free(leaders);
    MPI_Comm_split(MPI_COMM_WORLD, 0, place, &world->comm);
    MPI_Comm_rank(world->comm, &world->rank);
    MPI_Comm_size(world->comm, &world->size);
}

void world_close(struct world *world)
{
    MPI_Comm_free(&world->comm);
}

void world_duplicate(const struct world *world, MPI_Comm *comm)
{
    watchdog_begin_meeting("the ranks make a communicator (MPI_Comm_dup)", 0, false);
    MPI_Comm_dup(world->comm, comm);
    watchdog_end();
}

static bool agree(const struct world *world, bool ok, struct error *error)
{
    /* One reduction answers three questions: who failed first, did all fail, and with the same words. The maximum of
     * ~x is the complement of the minimum of x. */
    uint64_t words = ok ? 0 : digest_bytes(error->text, strlen(error->text));
    uint64_t mine[4] = {ok ? 0 : (uint64_t)(world->size - world->rank), ok, words, ~words}, all[4];
    MPI_Allreduce(mine, all, 4, MPI_UINT64_T, MPI_MAX, world->comm);
    if (all[0] == 0)
        return true;
    bool everybody = all[1] == 0, same_words = all[2] == ~all[3];
    int guilty = world->size - (int)all[0];
    MPI_Bcast(error, (int)sizeof *error, MPI_BYTE, guilty, world->comm);
    if (!everybody || !same_words)
        error_prefix(error, "rank %d: ", guilty);
    return false;
}

bool world_agree(const struct world *world, bool ok, struct error *error)
{
    meet();
    ok = agree(world, ok, error);
    watchdog_end();
    return ok;
}

double world_memory_s(size_t bytes)
{
    return (double)bytes / FILL_RATE;
}

bool world_agree_memory(const struct world *world, bool ok, size_t bytes, struct error *error)
{
    watchdog_begin_meeting("the ranks get their memory", world_memory_s(bytes), false);
    ok = world_agree(world, ok, error);
    watchdog_end();
    return ok;
}

void world_share(const struct world *world, void *bytes, size_t count)
{
    PROMISE_EQUAL(world, count);
    CHECK(count < INT_MAX, "a message has a length");
    meet();
    MPI_Bcast(bytes, (int)count, MPI_BYTE, 0, world->comm);
    watchdog_end();
}

void world_share_bytes(const struct world *world, char **bytes, size_t *count)
{
    uint64_t length = world_share_number(world, world->rank == 0 ? *count : 0);
    if (world->rank != 0) {
        *bytes = memory_need(length + 1, 1);
        *count = length;
    }
    world_share(world, *bytes, length);
}

uint64_t world_share_number(const struct world *world, uint64_t number)
{
    world_share(world, &number, sizeof number);
    return number;
}

unsigned world_union(const struct world *world, unsigned flags)
{
    meet();
    MPI_Allreduce(MPI_IN_PLACE, &flags, 1, MPI_UNSIGNED, MPI_BOR, world->comm);
    watchdog_end();
    return flags;
}

void world_sum_disjoint(const struct world *world, double *values, size_t count)
{
    PROMISE_EQUAL(world, count);
    CHECK(count < INT_MAX, "these are few");
    meet();
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, world->comm);
    watchdog_end();
}

void world_sum(const struct world *world, uint64_t *values, size_t count)
{
    PROMISE_EQUAL(world, count);
    CHECK(count < INT_MAX, "these are few");
    meet();
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_UINT64_T, MPI_SUM, world->comm);
    watchdog_end();
}

void world_most(const struct world *world, uint64_t *values, size_t count)
{
    CHECK(count < INT_MAX, "these are few");
    meet();
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_UINT64_T, MPI_MAX, world->comm);
    watchdog_end();
}

void world_gather(const struct world *world, const void *bytes, size_t count, void *all)
{
    PROMISE_EQUAL(world, count);
    CHECK(count < INT_MAX, "these are few");
    meet();
    MPI_Gather(bytes, (int)count, MPI_BYTE, all, (int)count, MPI_BYTE, 0, world->comm);
    watchdog_end();
}

char **world_gather_texts(const struct world *world, const char *text)
{
    int mine = (int)strlen(text) + 1, longest;
    meet();
    MPI_Allreduce(&mine, &longest, 1, MPI_INT, MPI_MAX, world->comm);
    size_t size = (size_t)world->size, stride = (size_t)longest;
    char **texts = memory_need(1, size * (sizeof *texts + stride));
    char *bytes = (char *)(texts + size), *own = memory_need(stride, 1);
    memcpy(own, text, (size_t)mine);
    MPI_Allgather(own, longest, MPI_BYTE, bytes, longest, MPI_BYTE, world->comm);
    watchdog_end();
    memory_free(own);
    for (size_t r = 0; r < size; r++)
        texts[r] = bytes + r * stride;
    return texts;
}
