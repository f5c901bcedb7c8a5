#include "parallel/equality.h"
#include "support/test_mpi.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct world world;

static void what_is_equal_passes(void)
{
    struct error error = {0};
    const struct equality_item items[] = {{"the data", "600 samples", "Copy it", false}, {"the job", "", "No", false}};
    CU_ASSERT_TRUE(equality_check(&world, items, 2, &error));
    CU_ASSERT_TRUE(equality_check(&world, items, 0, &error));
}

/* Whoever it is: what, rank, host, both values and the advice, with the same words on all ranks. */
static void the_odd_one_is_named(void)
{
    char host[65] = "", expected[400];
    gethostname(host, sizeof host - 1);
    for (int odd = 0; odd < world.size && world.size > 1; odd++) {
        struct error error = {0};
        const struct equality_item items[] = {
            {"the job", "the same", "No", false},
            {"the data", world.rank == odd ? "500 samples" : "600 samples", "Copy it", false},
        };
        CU_ASSERT_FALSE(equality_check(&world, items, 2, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        if (world.size == 2)
            snprintf(expected, sizeof expected,
                     "the data is not the same on all ranks: rank 1 on %s: %s; rank 0 on %s: %s. Copy it", host,
                     odd == 1 ? "500 samples" : "600 samples", host, odd == 1 ? "600 samples" : "500 samples");
        else
            snprintf(expected, sizeof expected,
                     "the data is not the same on all ranks: rank %d on %s: 500 samples; rank %d and %d other%s on %s: "
                     "600 samples. Copy it",
                     odd, host, odd == 0, world.size - 2, world.size == 3 ? "" : "s", host);
        CU_ASSERT_STRING_EQUAL(error.text, expected);
    }
}

static void the_first_item_that_differs_is_told(void)
{
    struct error error = {0};
    char own[20];
    snprintf(own, sizeof own, "%d", world.rank);
    const struct equality_item items[] = {{"one", own, "", false}, {"two", own, "", false}};
    if (world.size == 1)
        return;
    CU_ASSERT_FALSE(equality_check(&world, items, 2, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "one is not the same on all ranks: rank 1"));
    if (world.size > 2)
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, world.size == 3 ? "and 1 other on" : "others on"));
}

static void what_may_differ_is_only_told(void)
{
    struct error error = {0};
    const struct equality_item items[] = {{"blas", world.rank == 0 ? "Haswell" : "SkylakeX", "", true},
                                          {"two", "the same", "", false}};
    CU_ASSERT_TRUE(equality_check(&world, items, 2, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NONE);
}

static void opening(void)
{
    world_open(&world);
}

static void closing(void)
{
    world_close(&world);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"what is equal passes", what_is_equal_passes},
        {"the odd one is named, with its host, both values and what to do", the_odd_one_is_named},
        {"the first item that differs is told", the_first_item_that_differs_is_told},
        {"what may differ is only told", what_may_differ_is_only_told},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/equality", cases);
}
