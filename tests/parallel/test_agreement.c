/* Agreement without spinning and without end: the words of world_agree, and what happens when a rank is late. */
#include "parallel/agreement.h"

#include "base/memory.h"
#include "support/test_mpi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct world world;
static struct agreement agreement;
static atomic_bool over;

#define QUESTIONS 1500
#define LOAD      ((size_t)200000) /* numbers of a message beside them */

static void all_well_is_agreed_and_rank_0_says_a_number(void)
{
    for (uint64_t round = 1; round < 4; round++) {
        agreement_begin(&agreement);
        for (uint64_t question = 1; question < 4; question++) {
            struct error error = {0};
            uint64_t number = world.rank == 0 ? 100 * round + question : 7;
            CU_ASSERT_TRUE(agreement_agree(&agreement, true, 60, "it", &number, &error));
            CU_ASSERT_EQUAL(number, 100 * round + question);
        }
    }
}

static void a_failure_has_the_words_of_world_agree(void)
{
    for (int guilty = 0; guilty < world.size; guilty++) {
        struct error here = {0}, there = {0};
        bool ok = world.rank < guilty || error_set(&here, ERROR_CORRUPT, "broken by %d", world.rank);
        there = here;
        agreement_begin(&agreement);
        CU_ASSERT_FALSE(agreement_agree(&agreement, ok, 60, "it", NULL, &here));
        CU_ASSERT_FALSE(world_agree(&world, ok, &there));
        CU_ASSERT_STRING_EQUAL(here.text, there.text);
        CU_ASSERT_EQUAL(here.kind, ERROR_CORRUPT);
    }
    struct error error = {0};
    agreement_begin(&agreement);
    CU_ASSERT_FALSE(agreement_agree(&agreement, error_set(&error, ERROR_IO, "no room"), 60, "it", NULL, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "no room");
}

/* Waits until all other ranks have called it; they do not wait. */
static void come_after_the_others(int last)
{
    if (world.rank != last)
        MPI_Send(NULL, 0, MPI_BYTE, last, 0, world.comm);
    for (int r = 0; world.rank == last && r < world.size; r++)
        if (r != last)
            MPI_Recv(NULL, 0, MPI_BYTE, r, 0, world.comm, MPI_STATUS_IGNORE);
}

/* The last rank comes when all others have gone on without it, and learns that, too; then everything is as before. */
static void who_is_late_is_named_and_nobody_waits(void)
{
    struct error error = {0};
    char expected[100];
    if (world.size == 1)
        return;
    for (int round = 0; round < 2; round++) {
        agreement_begin(&agreement);
        CU_ASSERT_TRUE(agreement_agree(&agreement, true, 60, "coming", NULL, &error));
        bool is_late = world.rank == world.size - 1;
        if (is_late)
            come_after_the_others(world.size - 1);
        CU_ASSERT_FALSE(agreement_agree(&agreement, true, 1, "the work", NULL, &error));
        if (!is_late)
            come_after_the_others(world.size - 1);
        CU_ASSERT_EQUAL(error.kind, ERROR_LATE);
        snprintf(expected, sizeof expected, "rank %d has not finished the work in 1 s", world.size - 1);
        CU_ASSERT_STRING_EQUAL(error.text, expected);
        MPI_Barrier(world.comm);
    }
    agreement_begin(&agreement);
    CU_ASSERT_TRUE(agreement_agree(&agreement, true, 60, "coming", NULL, &error));
}

static void rank_0_can_be_late_too(void)
{
    struct error error = {0};
    agreement_begin(&agreement);
    if (world.rank == 0)
        come_after_the_others(0);
    bool ok = agreement_agree(&agreement, true, 0.1, "the work", NULL, &error);
    if (world.rank != 0)
        come_after_the_others(0);
    CU_ASSERT_EQUAL(ok,
                    world.rank == 0); /* all others have voted in time; that they are gone shows at its next question */
    if (world.rank != 0) {
        CU_ASSERT_EQUAL(error.kind, ERROR_LATE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "rank 0 has not finished the work in "));
    } else if (world.size > 1) {
        CU_ASSERT_FALSE(agreement_agree(&agreement, true, 0.1, "the rest", NULL, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_LATE);
    }
    MPI_Barrier(world.comm);
    agreement_begin(&agreement);
    CU_ASSERT_TRUE(agreement_agree(&agreement, true, 60, "coming", NULL, &error));
}

static void numbers_are_gathered(void)
{
    uint64_t values[20];
    int counts[20], places[20];
    struct error error;
    for (int r = 0; r < world.size; r++) {
        places[r] = 2 * r;
        counts[r] = r == 1 ? 1 : 2;
    }
    values[2 * world.rank] = 5u + (unsigned)world.rank;
    values[2 * world.rank + 1] = 50u + (unsigned)world.rank;
    agreement_begin(&agreement);
    CU_ASSERT_TRUE(agreement_agree(&agreement, true, 60, "coming", NULL, &error));
    CU_ASSERT_TRUE(agreement_gather(&agreement, values, counts, places, 60, &error));
    for (unsigned r = 0; r < (unsigned)world.size; r++) {
        CU_ASSERT_EQUAL(values[2 * r], 5 + r);
        CU_ASSERT(r == 1 || values[2 * r + 1] == 50 + r);
    }
}

static void *agree_often(void *unused)
{
    size_t heard = 0;
    (void)unused;
    for (size_t i = 0; i < QUESTIONS && heard == i; i++) {
        struct error error = {0};
        uint64_t number = world.rank == 0 ? i : 0;
        if (i % 5 == 0)
            agreement_begin(&agreement);
        heard += agreement_agree(&agreement, true, 5, "it", &number, &error) && number == i;
    }
    CU_ASSERT_EQUAL(heard, QUESTIONS);
    over = true;
    return NULL;
}

/* Whoever else is in MPI takes MPI's notice of what has left from the agreement's thread: no answer may be lost by
 * that.
 */
static void another_thread_in_mpi_does_not_disturb_it(void)
{
    pthread_t agreeing;
    float *load = memory_need(LOAD, sizeof *load);
    over = false;
    CU_ASSERT_EQUAL(pthread_create(&agreeing, NULL, agree_often, NULL), 0);
    while (world_union(&world, !over))
        MPI_Allreduce(MPI_IN_PLACE, load, LOAD, MPI_FLOAT, MPI_SUM, world.comm);
    pthread_join(agreeing, NULL);
    memory_free(load);
}

static void opening(void)
{
    world_open(&world);
    agreement_open(&agreement, &world);
    CU_ASSERT_TRUE(world.size > 0);
}

static void closing(void)
{
    agreement_close(&agreement);
    agreement_close(&agreement);
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"all well is agreed, and rank 0 says a number", all_well_is_agreed_and_rank_0_says_a_number},
        {"a failure has the words of world_agree", a_failure_has_the_words_of_world_agree},
        {"who is late is named, and nobody waits", who_is_late_is_named_and_nobody_waits},
        {"rank 0 can be late, too", rank_0_can_be_late_too},
        {"numbers are gathered", numbers_are_gathered},
        {"another thread in MPI does not disturb it", another_thread_in_mpi_does_not_disturb_it},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/agreement", cases);
}
