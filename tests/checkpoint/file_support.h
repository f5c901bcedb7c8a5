/* What the tests of writing and of reading checkpoints have in common: a state, all that goes with it, and files of it.
 * Written with some number of ranks. */
#ifndef CHECKPOINT_FILE_SUPPORT_H
#define CHECKPOINT_FILE_SUPPORT_H

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "checkpoint/writer.h"
#include "h5/h5.h"
#include "support/test_mpi.h"

#define COUNT (6 * EXCHANGE_BLOCK + 80)

static struct world world;
static struct agreement agreement;
static struct error error;
static const char *const names[] = {"params", "adamw.m", "adamw.v"};

static const struct state_tensor tensors[] = {
    {.name = "0.dense.weight", .dims = 2, .shape = {80, 300}, .offset = 0},
    {.name = "0.dense.bias", .dims = 1, .shape = {656}, .offset = 24000},
};

static inline float value(size_t array, size_t element)
{
    return rng_uniform(rng_key(array, "writer test"), element) - 0.5f;
}

/* A state whose shard of this rank is filled; the caller frees the arrays. */
static inline struct state make_state(void)
{
    struct state state = {.count = COUNT,
                          .shard = exchange_shard(COUNT, world.size, world.rank),
                          .array_count = 3,
                          .tensors = tensors,
                          .tensor_count = 2};
    for (size_t a = 0; a < 3; a++) {
        float *values = memory_need(state.shard.count, sizeof *values);
        for (size_t i = 0; i < state.shard.count; i++)
            values[i] = value(a, state.shard.first + i);
        state.arrays[a] = (struct state_array){.name = names[a], .values = values};
    }
    return state;
}

static inline void free_state(struct state *state)
{
    for (size_t a = 0; a < 3; a++)
        memory_free(state->arrays[a].values);
}

static struct segment segments[] = {
    {.first_step = 1, .last_step = 70, .ranks = 2, .nodes = 1, .end = "SIGUSR1", .hosts = "a,b"},
    {.first_step = 71, .last_step = 90, .ranks = 3, .nodes = 2, .end = "running", .hosts = "c", .changes = "a: 1 -> 2"},
};

static struct history_step window[] = {{2.5, 1.25}, {2.25, 7}, {0x1p-40, 3}};
static const struct history history = {.sampler_step = 1,
                                       .sampler_sample = 64,
                                       .updates = 88,
                                       .skipped_row = 2,
                                       .validated_step = 80,
                                       .metric = 1,
                                       .yardstick = 77,
                                       .best = {{0.1, 60}, {0.1, 80}, {0.3, 20}},
                                       .best_count = 3,
                                       .best_most = 3,
                                       .reference = 0.2,
                                       .stale = 3,
                                       .plateau_step = 40,
                                       .plateau_reference = 0.4,
                                       .plateau_stale = 2,
                                       .plateau_falls = 1,
                                       .window = window,
                                       .window_count = 3};

/* Collective. Opens a store in a fresh directory that all ranks know. */
static inline void make_store(struct store *store, const char *run)
{
    CU_ASSERT_TRUE(store_init(store, test_mpi_path(run), 77, &error));
    if (world.rank == 0)
        CU_ASSERT_TRUE(file_make_directories(store->directory, &error));
    MPI_Barrier(world.comm);
}

/* Collective. Commits the test's state as `step`. */
static inline bool commit_step(const struct store *store, uint64_t step, size_t keep, const char *job,
                               struct commit *commit)
{
    struct state state = make_state();
    struct snapshot snapshot;
    struct record record = {.epoch = 1.5,
                            .loss = 0.25,
                            .saved_unix = 1700000000,
                            .data_digest = 42,
                            .lineage = 43,
                            .why = "every+validation",
                            .job = (char *)job,
                            .passport = (char *)"blas: none\n",
                            .vocabulary = (char *)"\n aé€",
                            .data = (char *)"{}",
                            .history = history,
                            .segments = segments,
                            .segment_count = 2};
    struct patience patience = {0};
    snapshot_init(&snapshot, &world, &state);
    snapshot_take(&snapshot, &state, step);
    agreement_begin(&agreement);
    bool ok = snapshot_digest(&snapshot, &agreement, 60, &error) &&
              writer_commit(&agreement, &snapshot, &record, store, &(struct retention){.newest = keep}, &patience,
                            commit, &error);
    snapshot_release(&snapshot);
    snapshot_release(&snapshot);
    free_state(&state);
    return ok;
}

/* Collective. One committed file; rank 0 may play with it. */
static inline void make_one(const char *run, char path[PATH_MAX])
{
    struct store store;
    struct commit commit;
    make_store(&store, run);
    CU_ASSERT_TRUE(commit_step(&store, 90, 2, "run: x\n", &commit));
    store_path(&store, 90, path);
    MPI_Barrier(world.comm);
}

/* The offset in the file of an element of an array. */
static inline long offset_of(const char *path, const char *dataset_name, size_t element)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return -1;
    hid_t dataset = H5Dopen2(file, dataset_name, H5P_DEFAULT);
    long offset = (long)H5Dget_offset(dataset) + (long)(element * sizeof(float));
    h5_close(dataset);
    h5_close(file);
    return offset;
}

static inline void opening(void)
{
    world_open(&world);
    agreement_open(&agreement, &world);
    h5_init();
    CU_ASSERT_TRUE(world.size > 0);
}

static inline void closing(void)
{
    h5_release();
    agreement_close(&agreement);
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

#endif
