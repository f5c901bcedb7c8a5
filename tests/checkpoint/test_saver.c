/* Saving in the background on some number of ranks: verdicts, lateness, and a state that stands still. */
#include "checkpoint/reader.h"
#include "checkpoint/saver.h"
#include "h5/h5.h"
#include "support/test_mpi.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT (5 * EXCHANGE_BLOCK + 80)

static struct world world;
static struct node node;
static struct error error;
static const struct state_tensor tensors[] = {{.name = "0.dense.weight", .dims = 1, .shape = {COUNT}, .offset = 0}};
static struct segment segments[] = {{.first_step = 1, .ranks = 1, .nodes = 1, .end = "running", .hosts = "a"}};
static char job[] = "run: x\n", passport[] = "blas: none\n", vocabulary[] = "";

/* What a trainer has, small. */
struct trial {
    struct store store;
    struct exchange *exchange;
    struct saver *saver;
    struct state state;
    float *moment;
};

static float value(size_t element)
{
    return (float)element * 0.5f + 1;
}

/* Collective. */
static void open_trial(struct trial *trial, const char *run, bool make, const struct saver_options *options)
{
    *trial = (struct trial){.state = {.count = COUNT,
                                      .shard = exchange_shard(COUNT, world.size, world.rank),
                                      .array_count = 2,
                                      .tensors = tensors,
                                      .tensor_count = 1}};
    CU_ASSERT_TRUE(store_init(&trial->store, test_mpi_path(run), 99, &error));
    if (make && world.rank == 0)
        CU_ASSERT_TRUE(file_make_directories(trial->store.directory, &error));
    CU_ASSERT_TRUE(exchange_open(&trial->exchange, &world, &node, (size_t)world.size, COUNT, COUNT, 2, &error));
    float *params = exchange_params(trial->exchange);
    trial->moment = memory_need(trial->state.shard.count, sizeof(float));
    for (size_t e = 0; e < trial->state.shard.count; e++)
        params[trial->state.shard.first + e] = value(trial->state.shard.first + e);
    exchange_distribute(trial->exchange);
    exchange_settle(trial->exchange);
    trial->state.arrays[0] = (struct state_array){"params", params + trial->state.shard.first, NULL};
    trial->state.arrays[1] = (struct state_array){"sgd.v", trial->moment, NULL};
    CU_ASSERT_TRUE(saver_open(&trial->saver, &world, &trial->store, trial->exchange, &trial->state, options, &error));
}

static void close_trial(struct trial *trial)
{
    saver_close(trial->saver);
    exchange_close(trial->exchange);
    memory_free(trial->moment);
}

static void begin(struct trial *trial, uint64_t step)
{
    struct saver_work work = {.state = trial->state,
                              .step = step,
                              .record = {.epoch = 1,
                                         .job = job,
                                         .passport = passport,
                                         .vocabulary = vocabulary,
                                         .segments = segments,
                                         .segment_count = 1},
                              .retention = {.newest = 2},
                              .replica = exchange_params(trial->exchange),
                              .descriptor = -1};
    saver_begin(trial->saver, &work);
}

static void wait_for(struct trial *trial)
{
    while (saver_look(trial->saver) == SAVER_BUSY)
        usleep(1000);
}

/* Collective. Whether `step` can be read and has the trial's values. */
static bool is_whole(const struct trial *trial, uint64_t step)
{
    char path[PATH_MAX];
    struct reader reader;
    float *values = memory_need(COUNT, sizeof *values);
    store_path(&trial->store, step, path);
    bool ok = reader_open(&reader, path, &error) && reader_load(&reader, 0, 0, COUNT, values, &error);
    for (size_t e = 0; ok && e < COUNT; e++)
        ok = values[e] == value(e);
    reader_close(&reader);
    memory_free(values);
    return ok;
}

static void save_twice(const char *run, bool background)
{
    struct trial trial;
    struct saver_result result;
    open_trial(&trial, run, true, &(struct saver_options){.background = background});
    CU_ASSERT_EQUAL(saver_is_background(trial.saver), background);
    for (uint64_t step = 7; step <= 8; step++) {
        begin(&trial, step);
        CU_ASSERT(background || saver_look(trial.saver) == SAVER_IDLE);
        wait_for(&trial);
        CU_ASSERT_EQUAL(saver_look(trial.saver), SAVER_IDLE);
        CU_ASSERT_TRUE(saver_take(trial.saver, &result, &error));
        CU_ASSERT_EQUAL(result.step, step);
        CU_ASSERT(result.commit.bytes > 2 * COUNT * sizeof(float));
    }
    close_trial(&trial);
    CU_ASSERT_TRUE(is_whole(&trial, 7));
    CU_ASSERT_TRUE(is_whole(&trial, 8));
}

static void a_thread_saves_what_is_begun(void)
{
    save_twice("background", true);
}

static void without_a_thread_it_is_done_at_once(void)
{
    save_twice("foreground", false);
}

static void a_failure_is_everybodys_in_the_same_words(void)
{
    struct trial trial;
    struct saver_result result;
    const char *path = test_mpi_path("file");
    if (world.rank == 0)
        CU_ASSERT_TRUE(file_replace(path, "", 0, &error));
    open_trial(&trial, "file", false, &(struct saver_options){.background = true});
    for (int attempt = 0; attempt < 2; attempt++) {
        begin(&trial, 3);
        wait_for(&trial);
        CU_ASSERT_FALSE(saver_take(trial.saver, &result, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot "));
        CU_ASSERT_EQUAL(result.step, 3);
        char **texts = world_gather_texts(&world, error.text);
        for (int r = 0; r < world.size; r++)
            CU_ASSERT_STRING_EQUAL(texts[r], error.text);
        memory_free(texts);
    }
    close_trial(&trial);
}

static void nodes_whose_parameters_differ_are_found(void)
{
    struct trial trial;
    struct saver_result result;
    open_trial(&trial, "differ", true, &(struct saver_options){.background = true});
    if (world.rank == world.size - 1) /* each rank is a node here, and sees to all blocks */
        exchange_params(trial.exchange)[world.size > 1 ? 5 : COUNT - 1] += 1;
    begin(&trial, 3);
    wait_for(&trial);
    bool ok = saver_take(trial.saver, &result, &error);
    CU_ASSERT_EQUAL(ok, world.size == 1); /* alone it is its own truth */
    CU_ASSERT(ok || error.kind == ERROR_MEMORY);
    close_trial(&trial);
}

/* The last rank begins when the others have lost their patience of half a second. */
static void a_late_rank_is_named_and_the_next_save_has_it_again(void)
{
    struct trial trial;
    struct saver_result result;
    if (world.size == 1)
        return;
    open_trial(&trial, "late", true, &(struct saver_options){.background = true, .timeout_s = 0.5});
    if (world.rank != world.size - 1) {
        begin(&trial, 5);
        wait_for(&trial);
    }
    MPI_Barrier(world.comm); /* all others have gone on without it */
    if (world.rank == world.size - 1) {
        begin(&trial, 5);
        wait_for(&trial);
    }
    MPI_Barrier(world.comm);
    CU_ASSERT_FALSE(saver_take(trial.saver, &result, &error));
    char expected[100];
    snprintf(expected, sizeof expected, "rank %d has not finished ", world.size - 1);
    CU_ASSERT_TRUE(result.late);
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_EQUAL(strncmp(error.text, expected, strlen(expected)), 0);
    begin(&trial, 6);
    wait_for(&trial);
    CU_ASSERT_TRUE(saver_take(trial.saver, &result, &error));
    close_trial(&trial);
    CU_ASSERT_FALSE(is_whole(&trial, 5));
    CU_ASSERT_TRUE(is_whole(&trial, 6));
}

static void opening(void)
{
    world_open(&world);
    node_open(&node, &world, 1);
    h5_init();
    CU_ASSERT_TRUE(world.size > 0);
}

static void closing(void)
{
    h5_release();
    node_close(&node);
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"a thread saves what is begun", a_thread_saves_what_is_begun},
        {"without a thread it is done at once", without_a_thread_it_is_done_at_once},
        {"a failure is everybody's, in the same words", a_failure_is_everybodys_in_the_same_words},
        {"nodes whose parameters differ are found", nodes_whose_parameters_differ_are_found},
        {"a late rank is named, and the next save has it again", a_late_rank_is_named_and_the_next_save_has_it_again},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/saver", cases);
}
