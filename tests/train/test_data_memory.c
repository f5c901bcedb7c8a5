/* The memory that ranks share for chunks, where their files hold the same samples in other layouts, as h5repack makes
 * them between the starts of two ranks: nobody waits for ever, and each reads what it should. */
#include "train/data_memory.h"

#include "data/hdf5_trial.h"
#include "h5/h5.h"
#include "support/test_mpi.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 300, F = 16 };

static struct world world;
static struct error error;

/* How the inputs of one file are stored. */
struct layout {
    hsize_t chunk; /* of rows; 0: in one piece */
    bool is_big_endian;
};

static int16_t number(size_t row, size_t column)
{
    return (int16_t)(row * F + column);
}

static void write_file(const char *path, const struct layout *layout)
{
    static int16_t x[N][F];
    static int32_t y[N];
    for (size_t i = 0; i < N; i++) {
        y[i] = (int32_t)(i % 3);
        for (size_t k = 0; k < F; k++)
            x[i][k] = number(i, k);
    }
    struct stored inputs = {.type = layout->is_big_endian ? H5T_STD_I16BE : H5T_STD_I16LE,
                            .memory = H5T_NATIVE_INT16,
                            .dims = 2,
                            .size = {N, F},
                            .values = x,
                            .chunk = {layout->chunk, F},
                            .filters = layout->chunk ? "d" : NULL};
    struct stored labels = {.memory = H5T_NATIVE_INT32, .dims = 1, .size = {N}, .values = y};
    trial_write_file(path, &inputs, &labels);
}

/* How many samples are not what they should be, read by all ranks at a time, each in an order of its own. */
static int wrong_samples(const struct dataset *dataset, size_t rounds)
{
    int wrong = 0;
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < N; i++) {
            uint64_t row = (i * 77 + round * 31 + (size_t)world.rank * 13) % N;
            float inputs[F];
            int32_t label = -1;
            struct leaf leaf = {.inputs = inputs, .labels = &label};
            bool is_right = true;
            dataset_read(dataset, &row, 1, &leaf);
            for (size_t k = 0; k < F; k++)
                is_right = is_right && inputs[k] == (float)number((size_t)row, k);
            wrong += !is_right || label != (int32_t)(row % 3);
        }
    return wrong;
}

struct outcome {
    bool is_shared, is_own; /* this rank's memory; neither: it is the dataset's */
    uint64_t unpacked;
};

/* Collective over world. Rank r has the layout r % count. */
static struct outcome share_and_read(const struct layout *layouts, size_t count, int ranks_per_node)
{
    char path[PATH_MAX];
    struct node node;
    struct dataset dataset;
    struct data_memory memory;
    struct job job = {.train.batch = 8};
    struct outcome outcome = {0};
    snprintf(path, sizeof path, "%.4000s-%d", test_mpi_path("x.h5"), world.rank);
    write_file(path, &layouts[(size_t)world.rank % count]);
    struct hdf5_settings settings = trial_settings(path);
    bool is_open = trial_open(&settings, NULL, &dataset, &error);
    CU_ASSERT_TRUE(is_open);
    node_open(&node, &world, ranks_per_node);
    if (world_agree(&world, is_open, &error)) {
        data_memory_open(&memory, &world, &node, &job, &dataset);
        CU_ASSERT_EQUAL(wrong_samples(&dataset, 3), 0);
        MPI_Barrier(world.comm);
        outcome = (struct outcome){memory.is_window, memory.own, dataset_unpacked(&dataset)};
        data_memory_close(&memory);
    }
    if (is_open)
        dataset_close(&dataset);
    node_close(&node);
    remove(path);
    return outcome;
}

static void ranks_of_one_layout_share(void)
{
    static const struct layout layout = {.chunk = 10};
    struct outcome outcome = share_and_read(&layout, 1, 0);
    CU_ASSERT_TRUE(outcome.is_shared);
    CU_ASSERT_EQUAL(outcome.unpacked, N / 10);
}

static void ranks_of_a_node_with_other_layouts_share_nothing(void)
{
    static const struct layout layouts[][2] = {
        {{.chunk = 10}, {.chunk = 7}},
        {{.chunk = 7}, {.chunk = 200}},
        {{.chunk = 10}, {.chunk = 0}},
        {{.chunk = 0}, {.chunk = 10}},
        {{.chunk = 10}, {.chunk = 10, .is_big_endian = true}},
    };
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct outcome outcome = share_and_read(layouts[i], 2, 0);
        bool is_chunked = layouts[i][world.rank % 2].chunk > 0;
        CU_ASSERT(world.size == 1 || (!outcome.is_shared && outcome.is_own == is_chunked));
    }
}

static void each_node_has_a_layout_of_its_own(void)
{
    static const struct layout layouts[][4] = {
        {{.chunk = 10}, {.chunk = 0}, {.chunk = 7}, {.chunk = 200}},
        {{.chunk = 0}, {.chunk = 10}, {.chunk = 0}, {.chunk = 10}},
    };
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        CU_ASSERT_EQUAL(share_and_read(layouts[i], 4, 1).is_shared, layouts[i][world.rank].chunk > 0);
}

/* The first node has files of one layout, the second has not. */
static void a_node_shares_though_another_one_does_not(void)
{
    static const struct layout layouts[] = {{.chunk = 10}, {.chunk = 10}, {.chunk = 7}, {.chunk = 0}};
    struct outcome outcome = share_and_read(layouts, 4, 2);
    CU_ASSERT_EQUAL(outcome.is_shared, world.rank < 2 || world.size == 3);
}

/* Each rank then reads through the little that a dataset has for itself. */
static void what_a_limit_of_memory_has_no_room_for_is_not_taken(void)
{
    static const struct layout layout = {.chunk = 10};
    setenv("SLURM_MEM_PER_NODE", "1", 1);
    struct outcome outcome = share_and_read(&layout, 1, 0);
    unsetenv("SLURM_MEM_PER_NODE");
    CU_ASSERT(!outcome.is_shared && !outcome.is_own);
    CU_ASSERT(outcome.unpacked >= N / 10);
}

static void a_world_opens(void)
{
    h5_init();
    world_open(&world);
    CU_ASSERT_TRUE(world.size > 0);
}

static void a_world_closes(void)
{
    world_close(&world);
    h5_release();
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

static const struct test_case cases[] = {
    {"a world opens", a_world_opens},
    {"ranks of one layout share", ranks_of_one_layout_share},
    {"ranks of a node with other layouts share nothing", ranks_of_a_node_with_other_layouts_share_nothing},
    {"each node has a layout of its own", each_node_has_a_layout_of_its_own},
    {"a node shares though another one does not", a_node_shares_though_another_one_does_not},
    {"what a limit of memory has no room for is not taken", what_a_limit_of_memory_has_no_room_for_is_not_taken},
    {"a world closes", a_world_closes},
    {0},
};

int main(int argc, char **argv)
{
    return test_mpi_run(&argc, &argv, "train/data_memory", cases);
}
