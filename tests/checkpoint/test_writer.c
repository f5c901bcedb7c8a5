/* Writing with some number of ranks, reading by each alone: contents, names, digests, places. */
#include "checkpoint/file_support.h"
#include "checkpoint/reader.h"

#include "base/digest.h"

#include <stdio.h>
#include <string.h>

#define GOLDEN_FINGERPRINT 0x9e52d38a56354fedu

static void what_is_written_is_read(void)
{
    struct store store;
    struct commit commit;
    struct reader reader;
    char path[PATH_MAX];
    make_store(&store, "round-trip");
    CU_ASSERT_TRUE(commit_step(&store, 90, 3, "run: x\n", &commit));
    CU_ASSERT(commit.bytes > 3 * COUNT * sizeof(float));
    store_path(&store, 90, path);
    bool ok = reader_open(&reader, path, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        return;
    CU_ASSERT_EQUAL(reader.record.step, 90);
    CU_ASSERT_EQUAL(reader.record.epoch, 1.5);
    CU_ASSERT_EQUAL(reader.record.loss, 0.25);
    CU_ASSERT_EQUAL(reader.record.data_digest, 42);
    CU_ASSERT_EQUAL(reader.record.lineage, 43);
    CU_ASSERT_STRING_EQUAL(reader.record.why, "every+validation");
    CU_ASSERT_STRING_EQUAL(reader.record.job, "run: x\n");
    CU_ASSERT_STRING_EQUAL(reader.record.passport, "blas: none\n");
    CU_ASSERT_STRING_EQUAL(reader.record.vocabulary, "\n aé€");
    CU_ASSERT_STRING_EQUAL(reader.record.data, "{}");
    struct history found = reader.record.history;
    CU_ASSERT_EQUAL(found.window_count, 3);
    CU_ASSERT_EQUAL(memcmp(found.window, window, sizeof window), 0);
    found.window = window; /* and all else */
    CU_ASSERT_EQUAL(memcmp(&found, &history, sizeof found), 0);
    CU_ASSERT_EQUAL(reader.record.segment_count, 2);
    CU_ASSERT_EQUAL(memcmp(reader.record.segments, segments, sizeof segments), 0);
    CU_ASSERT_EQUAL(reader.array_count, 3);
    CU_ASSERT_TRUE(reader_verify(&reader, &error));
    float *values = memory_need(COUNT, sizeof *values);
    for (size_t a = 0; a < reader.array_count; a++) {
        size_t wrong = 0, first = EXCHANGE_BLOCK;
        CU_ASSERT_STRING_EQUAL(reader.names[a], names[a]);
        CU_ASSERT_TRUE(reader_load(&reader, a, first, COUNT - first, values, &error));
        for (size_t e = first; e < COUNT; e++)
            wrong += values[e - first] != value(a, e);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    memory_free(values);
    reader_close(&reader);
    reader_close(&reader);
}

static void the_fingerprint_does_not_know_the_ranks(void)
{
    /* Computed here by one process from the values; a golden number, too: it stands in people's logs. */
    uint64_t digests[3][COUNT / EXCHANGE_BLOCK + 1];
    const uint64_t *rows[3];
    float *values = memory_need(COUNT, sizeof *values);
    for (size_t a = 0; a < 3; a++) {
        for (size_t e = 0; e < COUNT; e++)
            values[e] = value(a, e);
        digest_blocks(values, COUNT, EXCHANGE_BLOCK, digests[a]);
        rows[a] = digests[a];
    }
    memory_free(values);
    uint64_t expected = state_fingerprint(90, 3, names, rows, COUNT / EXCHANGE_BLOCK + 1);
    struct state state = make_state();
    struct snapshot snapshot;
    snapshot_init(&snapshot, &world, &state);
    snapshot_take(&snapshot, &state, 90);
    agreement_begin(&agreement);
    CU_ASSERT_TRUE(snapshot_digest(&snapshot, &agreement, 60, &error));
    CU_ASSERT_EQUAL(snapshot.fingerprint, expected);
    CU_ASSERT_EQUAL(snapshot.fingerprint, GOLDEN_FINGERPRINT);
    snapshot_take(&snapshot, &state, 91);
    CU_ASSERT_TRUE(snapshot_digest(&snapshot, &agreement, 60, &error));
    CU_ASSERT_NOT_EQUAL(snapshot.fingerprint, expected);
    snapshot_release(&snapshot);
    free_state(&state);
}

static void tensors_have_names_and_shapes(void)
{
    struct store store;
    struct commit commit;
    struct reader reader;
    struct reader_tensor *list;
    size_t count;
    char path[PATH_MAX];
    make_store(&store, "tensors");
    CU_ASSERT_TRUE(commit_step(&store, 91, 3, "run: x\n", &commit));
    store_path(&store, 91, path);
    bool ok = reader_open(&reader, path, &error) && reader_list_tensors(&reader, &list, &count, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        return;
    CU_ASSERT_EQUAL(count, 6);
    CU_ASSERT_STRING_EQUAL(list[0].path, "/model/0.dense.bias");
    CU_ASSERT_STRING_EQUAL(list[1].path, "/model/0.dense.weight");
    CU_ASSERT_STRING_EQUAL(list[5].path, "/optimizer/adamw.v/0.dense.weight");
    CU_ASSERT_EQUAL(list[5].dims, 2);
    CU_ASSERT_EQUAL(list[5].shape[0], 80);
    CU_ASSERT_EQUAL(list[5].shape[1], 300);
    float *values = memory_need(24000, sizeof *values);
    CU_ASSERT_TRUE(reader_load_tensor(&reader, &list[5], values, &error));
    CU_ASSERT_EQUAL(values[17], value(2, 17));
    CU_ASSERT_TRUE(reader_load_tensor(&reader, &list[0], values, &error));
    CU_ASSERT_EQUAL(values[3], value(0, 24003));
    memory_free(values);
    memory_free(list);
    reader_close(&reader);
}

static void arrays_begin_at_stripes(void)
{
    struct store store;
    struct commit commit;
    char path[PATH_MAX];
    make_store(&store, "stripes");
    store.striping.size = store.striping.alignment = 4 << 20;
    store.striping.count = 4;
    store.striping.aggregators = 2;
    CU_ASSERT_TRUE(commit_step(&store, 91, 3, "run: x\n", &commit));
    store_path(&store, 91, path);
    for (size_t a = 0; a < 3; a++) {
        char name[60];
        snprintf(name, sizeof name, "/state/%s", names[a]);
        CU_ASSERT_EQUAL(offset_of(path, name, 0) % (4 << 20), 0);
    }
}

static void a_long_job_fits(void)
{
    struct store store;
    struct commit commit;
    struct reader reader;
    char path[PATH_MAX], *job = memory_need(300001, 1);
    memset(job, 'x', 300000);
    make_store(&store, "long");
    CU_ASSERT_TRUE(commit_step(&store, 91, 3, job, &commit));
    store_path(&store, 91, path);
    bool ok = reader_open(&reader, path, &error);
    CU_ASSERT_TRUE(ok);
    if (ok)
        CU_ASSERT_STRING_EQUAL(reader.record.job, job);
    reader_close(&reader);
    memory_free(job);
}

static void only_the_newest_stay(void)
{
    struct store store;
    struct commit commit;
    uint64_t *steps;
    size_t count;
    make_store(&store, "keep");
    for (uint64_t step = 91; step <= 95; step++)
        CU_ASSERT_TRUE(commit_step(&store, step, 2, "run: x\n", &commit));
    MPI_Barrier(world.comm); /* rank 0 prunes alone */
    CU_ASSERT_TRUE(store_list(&store, &steps, &count, &error));
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(steps[0], 95);
    CU_ASSERT_EQUAL(steps[1], 94);
    memory_free(steps);
}

static void a_file_where_the_directory_should_be_fails_on_all_ranks_in_the_same_words(void)
{
    struct store store;
    struct commit commit;
    const char *path = test_mpi_path("file");
    if (world.rank == 0)
        CU_ASSERT_TRUE(file_replace(path, "", 0, &error));
    MPI_Barrier(world.comm);
    CU_ASSERT_TRUE(store_init(&store, path, 77, &error));
    CU_ASSERT_FALSE(commit_step(&store, 91, 2, "run: x\n", &commit));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot create"));
    char **texts = world_gather_texts(&world, error.text);
    for (int r = 0; r < world.size; r++)
        CU_ASSERT_STRING_EQUAL(texts[r], error.text);
    memory_free(texts);
}

static void large_arrays_begin_at_a_mib(void)
{
    char path[PATH_MAX];
    make_one("aligned", path);
    for (size_t a = 0; a < 3; a++) {
        char array[64];
        snprintf(array, sizeof array, "/state/%s", names[a]);
        long offset = offset_of(path, array, 0);
        CU_ASSERT(offset > 0);
        CU_ASSERT_EQUAL(offset % (1 << 20), 0);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"what is written is read", what_is_written_is_read},
        {"the fingerprint does not know the number of ranks", the_fingerprint_does_not_know_the_ranks},
        {"tensors have names and shapes", tensors_have_names_and_shapes},
        {"arrays begin at stripes", arrays_begin_at_stripes},
        {"a job of 300 kB fits", a_long_job_fits},
        {"only the newest stay", only_the_newest_stay},
        {"large arrays begin at a MiB", large_arrays_begin_at_a_mib},
        {"a failure has the same words on all ranks",
         a_file_where_the_directory_should_be_fails_on_all_ranks_in_the_same_words},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/writer", cases);
}
