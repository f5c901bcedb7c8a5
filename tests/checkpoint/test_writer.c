/* Writing with some number of ranks, reading by each alone: contents, names, digests, and what is refused. */
#include "checkpoint/h5.h"
#include "checkpoint/reader.h"
#include "checkpoint/seal.h"
#include "checkpoint/writer.h"
#include "support/test_mpi.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT              (6 * EXCHANGE_BLOCK + 80)
#define GOLDEN_FINGERPRINT 0x9e52d38a56354fedu

static struct world world;
static struct council council;
static struct error error;
static const char *const names[] = {"params", "adamw.m", "adamw.v"};

static const struct state_tensor tensors[] = {
    {.name = "0.dense.weight", .dims = 2, .shape = {80, 300}, .offset = 0},
    {.name = "0.dense.bias", .dims = 1, .shape = {80}, .offset = 24000},
};

static float value(size_t array, size_t element)
{
    return rng_uniform(rng_key(array, "writer test"), element) - 0.5f;
}

/* A state whose shard of this rank is filled; the caller frees the arrays. */
static struct state make_state(void)
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

static void free_state(struct state *state)
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
                                       .metric = 1,
                                       .yardstick = 77,
                                       .best = {{0.1, 60}, {0.1, 80}, {0.3, 20}},
                                       .best_count = 3,
                                       .best_most = 3,
                                       .reference = 0.2,
                                       .stale = 3,
                                       .window = window,
                                       .window_count = 3};

/* Collective. Opens a store in a fresh directory that all ranks know. */
static void make_store(struct store *store, const char *run)
{
    CU_ASSERT_TRUE(store_init(store, test_mpi_path(run), 77, &error));
    if (world.rank == 0)
        CU_ASSERT_TRUE(file_make_directories(store->directory, &error));
    MPI_Barrier(world.comm);
}

/* Collective. Commits the test's state as `step`. */
static bool commit_step(const struct store *store, uint64_t step, size_t keep, const char *job, struct commit *commit)
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
                            .history = history,
                            .segments = segments,
                            .segment_count = 2};
    struct patience patience = {0};
    snapshot_init(&snapshot, &world, &state);
    snapshot_take(&snapshot, &state, step);
    council_begin(&council);
    bool ok = snapshot_digest(&snapshot, &council, 60, &error) &&
              writer_commit(&council, &snapshot, &record, store, &(struct retention){.newest = keep}, &patience, commit,
                            &error);
    snapshot_release(&snapshot);
    snapshot_release(&snapshot);
    free_state(&state);
    return ok;
}

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
    council_begin(&council);
    CU_ASSERT_TRUE(snapshot_digest(&snapshot, &council, 60, &error));
    CU_ASSERT_EQUAL(snapshot.fingerprint, expected);
    CU_ASSERT_EQUAL(snapshot.fingerprint, GOLDEN_FINGERPRINT);
    snapshot_take(&snapshot, &state, 91);
    CU_ASSERT_TRUE(snapshot_digest(&snapshot, &council, 60, &error));
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
    CU_ASSERT_TRUE(commit_step(&store, 1, 3, "run: x\n", &commit));
    store_path(&store, 1, path);
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

/* The offset in the file of an element of an array. */
static long offset_of(const char *path, const char *dataset_name, size_t element)
{
    hid_t file;
    if (!h5_open(path, H5F_ACC_RDONLY, &file, &error))
        return -1;
    hid_t dataset = H5Dopen2(file, dataset_name, H5P_DEFAULT);
    long offset = (long)H5Dget_offset(dataset) + (long)(element * sizeof(float));
    h5_close(dataset);
    h5_close(file);
    return offset;
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
    CU_ASSERT_TRUE(commit_step(&store, 1, 3, "run: x\n", &commit));
    store_path(&store, 1, path);
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
    CU_ASSERT_TRUE(commit_step(&store, 1, 3, job, &commit));
    store_path(&store, 1, path);
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
    for (uint64_t step = 1; step <= 5; step++)
        CU_ASSERT_TRUE(commit_step(&store, step, 2, "run: x\n", &commit));
    MPI_Barrier(world.comm); /* rank 0 prunes alone */
    CU_ASSERT_TRUE(store_list(&store, &steps, &count, &error));
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(steps[0], 5);
    CU_ASSERT_EQUAL(steps[1], 4);
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
    CU_ASSERT_FALSE(commit_step(&store, 1, 2, "run: x\n", &commit));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot create"));
    char **texts = world_gather_texts(&world, error.text);
    for (int r = 0; r < world.size; r++)
        CU_ASSERT_STRING_EQUAL(texts[r], error.text);
    memory_free(texts);
}

static void flip_bit(const char *path, long offset)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    CU_ASSERT_EQUAL(pread(fd, &byte, 1, offset), 1);
    byte ^= 4;
    CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

/* Seals a file again that was changed on purpose, so that what lies behind the seal is looked at. */
static void reseal(const char *path)
{
    struct seal_range ranges[3];
    hid_t file;
    char array[64];
    CU_ASSERT_TRUE(h5_open(path, H5F_ACC_RDONLY, &file, &error));
    for (size_t a = 0; a < 3; a++) {
        snprintf(array, sizeof array, "/state/%s", names[a]);
        CU_ASSERT_TRUE(h5_place(file, array, &ranges[a].offset, &ranges[a].bytes, &error));
    }
    h5_close(file);
    CU_ASSERT_TRUE(seal_write(path, ranges, 3, &error));
}

/* Whether the file is refused for this reason. */
static bool is_refused(const char *path, enum error_kind kind, const char *reason)
{
    struct reader reader;
    bool opened = reader_open(&reader, path, &error);
    reader_close(&reader);
    return !opened && error.kind == kind && strncmp(error.text, path, strlen(path)) == 0 &&
           strstr(error.text, reason) != NULL;
}

/* Rank 0 plays with one file; the others have their part in making it. */
static void make_one(const char *run, char path[PATH_MAX])
{
    struct store store;
    struct commit commit;
    make_store(&store, run);
    CU_ASSERT_TRUE(commit_step(&store, 3, 2, "run: x\n", &commit));
    store_path(&store, 3, path);
    MPI_Barrier(world.comm);
}

static void a_flipped_bit_is_found_and_its_block_named(void)
{
    char path[PATH_MAX];
    struct reader reader;
    make_one("flip", path);
    if (world.rank != 0)
        return;
    flip_bit(path, offset_of(path, "/state/adamw.m", 2 * EXCHANGE_BLOCK + 9));
    CU_ASSERT_TRUE(reader_open(&reader, path, &error));
    CU_ASSERT_FALSE(reader_verify(&reader, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/state/adamw.m: block 2 (elements 8192 to 12287) fails its digest"));
    float values[EXCHANGE_BLOCK];
    CU_ASSERT_TRUE(reader_load(&reader, 1, EXCHANGE_BLOCK, EXCHANGE_BLOCK, values, &error)); /* others are still good */
    CU_ASSERT_FALSE(reader_load(&reader, 1, 2 * EXCHANGE_BLOCK, EXCHANGE_BLOCK, values, &error));
    CU_ASSERT_EQUAL(reader.blocks, 7); /* shared by several readers: the one that has block 2 finds it */
    CU_ASSERT_TRUE(reader_verify_part(&reader, 0, 2, &error));
    CU_ASSERT_FALSE(reader_verify_part(&reader, 2, 1, &error));
    CU_ASSERT_TRUE(reader_verify_part(&reader, 3, 4, &error));
    CU_ASSERT_TRUE(reader_verify_part(&reader, 2, 0, &error));
    reader_close(&reader);
}

static void a_flipped_digest_breaks_the_seal_and_does_not_fit_the_fingerprint(void)
{
    char path[PATH_MAX];
    make_one("digest", path);
    if (world.rank != 0)
        return;
    flip_bit(path, offset_of(path, "/digest/params", 0));
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "fails the digest of its seal"));
    reseal(path);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "do not fit its fingerprint"));
}

static void a_seal_that_fits_another_file_is_refused(void)
{
    char path[PATH_MAX];
    struct reader reader;
    make_one("seal", path);
    if (world.rank != 0)
        return;
    reseal(path); /* as it was */
    CU_ASSERT_TRUE(reader_open(&reader, path, &error));
    CU_ASSERT_TRUE(reader.sealed);
    reader_close(&reader);
    struct seal_range ranges[3];
    uint64_t bytes = COUNT * sizeof(float);
    for (size_t a = 0; a < 3; a++)
        ranges[a] = (struct seal_range){(uint64_t)offset_of(path, "/state/params", 0) + a * (bytes / 3), bytes / 3};
    CU_ASSERT_TRUE(seal_write(path, ranges, 3, &error)); /* proves too much, which is no harm, but no seal of ours */
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "its seal does not fit its arrays"));
    ranges[0] = (struct seal_range){SEAL_BYTES, 64};
    CU_ASSERT_TRUE(seal_write(path, ranges, 1, &error)); /* leaves a part unproven */
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "its seal does not fit its arrays"));
}

/* As somebody would do it who wants to keep only what is HDF5 (h5unjam). */
static void without_its_seal_a_file_is_refused(void)
{
    char path[PATH_MAX], *content;
    size_t count, block = 512;
    make_one("unsealed", path);
    if (world.rank != 0)
        return;
    CU_ASSERT_TRUE(file_read(path, &content, &count, &error));
    while (block < count && memcmp(content + block, "\211HDF", 4) != 0)
        block *= 2;
    CU_ASSERT(block < count);
    CU_ASSERT_TRUE(file_replace(path, content + block, count - block, &error));
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "format version 3 without a seal"));
    free(content);
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

static void no_length_of_a_truncated_file_passes(void)
{
    char path[PATH_MAX];
    struct reader reader;
    make_one("truncated", path);
    if (world.rank != 0)
        return;
    long bytes = 0;
    char *content;
    size_t count;
    CU_ASSERT_TRUE(file_read(path, &content, &count, &error));
    bytes = (long)count;
    for (long length = bytes - 1; length > 0; length -= bytes / 13) {
        CU_ASSERT_EQUAL(truncate(path, length), 0);
        bool passes = reader_open(&reader, path, &error) && reader_verify(&reader, &error);
        CU_ASSERT_FALSE(passes);
        CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
        reader_close(&reader);
    }
    free(content);
}

static void set_version(const char *path, uint64_t version)
{
    hid_t file;
    CU_ASSERT_TRUE(h5_open(path, H5F_ACC_RDWR, &file, &error));
    H5Adelete(file, "version");
    CU_ASSERT_TRUE(h5_put_number(file, "version", version, &error));
    h5_close(file);
    reseal(path);
}

static void strange_files_are_told_apart(void)
{
    char path[PATH_MAX];
    make_one("strange", path);
    if (world.rank != 0)
        return;
    const char *nothing = test_path("strange/nothing.h5"), *words = test_path("strange/words.h5");
    CU_ASSERT_FALSE(reader_open(&(struct reader){0}, nothing, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(file_replace(words, "hello", 5, &error));
    CU_ASSERT_TRUE(is_refused(words, ERROR_CORRUPT, "not a lockstep checkpoint"));

    set_version(path, 2);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, ""));
    set_version(path, 999);
    CU_ASSERT_TRUE(is_refused(path, ERROR_VERSION, "format version 999"));
    hid_t file;
    CU_ASSERT_TRUE(h5_open(path, H5F_ACC_RDWR, &file, &error));
    H5Adelete(file, "sampler_step");
    CU_ASSERT_TRUE(h5_put_number(file, "sampler_step", 1000, &error));
    h5_close(file);
    set_version(path, RECORD_VERSION);
    reseal(path);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "sampler_step"));
    CU_ASSERT_TRUE(h5_open(path, H5F_ACC_RDWR, &file, &error));
    H5Adelete(file, "fingerprint");
    h5_close(file);
    reseal(path);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "no commit record"));
}

static void opening(void)
{
    world_open(&world);
    council_open(&council, &world);
    h5_init();
    CU_ASSERT_TRUE(world.size > 0);
}

static void closing(void)
{
    h5_release();
    council_close(&council);
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
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
        {"a failure has the same words on all ranks",
         a_file_where_the_directory_should_be_fails_on_all_ranks_in_the_same_words},
        {"a flipped bit is found and its block named", a_flipped_bit_is_found_and_its_block_named},
        {"a flipped digest breaks the seal, and does not fit the fingerprint",
         a_flipped_digest_breaks_the_seal_and_does_not_fit_the_fingerprint},
        {"a seal that fits another file is refused", a_seal_that_fits_another_file_is_refused},
        {"without its seal a file is refused", without_its_seal_a_file_is_refused},
        {"large arrays begin at a MiB", large_arrays_begin_at_a_mib},
        {"no length of a truncated file passes", no_length_of_a_truncated_file_passes},
        {"strange files are told apart", strange_files_are_told_apart},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/writer", cases);
}
