#include "parallel/world.h"
#include "support/test_mpi.h"

#include "base/memory.h"
#include "parallel/node.h"

#include <stdio.h>
#include <string.h>

static struct world world;

static void all_well_is_agreed(void)
{
    struct error error = {0};
    CU_ASSERT_TRUE(world_agree(&world, true, &error));
}

static void one_failure_is_everybodys_with_the_guilty_named(void)
{
    for (int guilty = 0; guilty < world.size; guilty++) {
        struct error error = {0};
        bool ok = world.rank != guilty || error_set(&error, ERROR_CORRUPT, "broken");
        char expected[64];
        snprintf(expected, sizeof expected, world.size == 1 ? "broken" : "rank %d: broken", guilty);
        CU_ASSERT_FALSE(world_agree(&world, ok, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
        CU_ASSERT_STRING_EQUAL(error.text, expected);
    }
}

static void the_lowest_of_several_is_named(void)
{
    struct error error = {0};
    bool ok = world.rank == 0 || error_set(&error, ERROR_IO, "trouble of %d", world.rank);
    if (world.size < 2)
        return;
    CU_ASSERT_FALSE(world_agree(&world, ok, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "rank 1: trouble of 1");
}

static void the_same_words_from_all_are_nobodys_own(void)
{
    struct error error = {0};
    CU_ASSERT_FALSE(world_agree(&world, error_set(&error, ERROR_USAGE, "no such key"), &error));
    CU_ASSERT_STRING_EQUAL(error.text, "no such key");
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
}

static void rank_0_shares_bytes_and_numbers(void)
{
    char *bytes = world.rank == 0 ? memory_text("a job file") : NULL;
    size_t count = world.rank == 0 ? strlen(bytes) : 0;
    world_share_bytes(&world, &bytes, &count);
    CU_ASSERT_EQUAL(count, 10);
    CU_ASSERT_STRING_EQUAL(bytes, "a job file");
    memory_free(bytes);
    CU_ASSERT_EQUAL(world_share_number(&world, world.rank == 0 ? 1234567890123456789u : 7), 1234567890123456789u);
}

static void texts_of_different_lengths_come_in_rank_order(void)
{
    char own[64];
    snprintf(own, sizeof own, "%.*s%d", world.rank * 7, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
             world.rank);
    char **texts = world_gather_texts(&world, own);
    for (int r = 0; r < world.size; r++) {
        char expected[64];
        snprintf(expected, sizeof expected, "%.*s%d", r * 7, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", r);
        CU_ASSERT_STRING_EQUAL(texts[r], expected);
    }
    memory_free(texts);
}

static void nodes_are_what_the_option_says(void)
{
    for (int per_node = 0; per_node <= 3; per_node++) {
        struct node node;
        int width = per_node ? per_node : world.size;
        node_open(&node, &world, per_node);
        CU_ASSERT_EQUAL(node.count, (world.size + width - 1) / width);
        CU_ASSERT_EQUAL(node.index, world.rank / width);
        CU_ASSERT_EQUAL(node.rank, world.rank % width);
        for (int r = 0; r < world.size; r++) {
            CU_ASSERT_EQUAL(node.node_of[r], r / width);
            CU_ASSERT_EQUAL(node.rank_of[r], r % width);
        }
        node_close(&node);
    }
}

static void a_window_is_shared_zero_and_aligned(void)
{
    struct node node;
    struct window window;
    struct error error;
    node_open(&node, &world, 0);
    bool ok = window_open(&window, &node, 4096 * sizeof(int), "a test", &error);
    CU_ASSERT_TRUE(ok);
    if (ok) {
        int *own = window.memory;
        CU_ASSERT_EQUAL((size_t)own % MEMORY_ALIGNMENT, 0);
        CU_ASSERT_EQUAL(own[0] | own[4095], 0);
        window_fence(&window); /* nobody writes before all have looked */
        own[0] = 100 + node.rank;
        window_fence(&window);
        for (int r = 0; r < node.size; r++)
            CU_ASSERT_EQUAL(*(int *)window_piece(&window, r), 100 + r);
        window_close(&window);
        window_close(&window);
    }
    node_close(&node);
}

static void a_window_that_cannot_be_is_an_error(void)
{
    struct node node;
    struct window window;
    struct error error;
    node_open(&node, &world, 0);
    CU_ASSERT_FALSE(window_open(&window, &node, (size_t)1 << 46, "a test", &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    node_close(&node);
}

static void opening(void)
{
    world_open(&world);
    CU_ASSERT_TRUE(world.rank < world.size);
}

static void closing(void)
{
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"that all is well is agreed", all_well_is_agreed},
        {"one rank's failure is everybody's, with its name", one_failure_is_everybodys_with_the_guilty_named},
        {"the lowest of several failed ranks is named", the_lowest_of_several_is_named},
        {"the same words from all ranks name nobody", the_same_words_from_all_are_nobodys_own},
        {"rank 0 shares bytes and numbers", rank_0_shares_bytes_and_numbers},
        {"texts come in rank order", texts_of_different_lengths_come_in_rank_order},
        {"nodes are as the option says", nodes_are_what_the_option_says},
        {"a window is shared, zero and aligned", a_window_is_shared_zero_and_aligned},
        {"a window that is too large is an error, not a crash", a_window_that_cannot_be_is_an_error},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/world", cases);
}
