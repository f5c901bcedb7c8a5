#include "checkpoint/store.h"
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct error error;

static void open_run(struct store *store, const char *run)
{
    CU_ASSERT_TRUE(store_init(store, test_path(run), 0xabc, &error));
    CU_ASSERT_TRUE(file_make_directories(store->directory, &error));
}

static void make_file(const struct store *store, const char *name)
{
    char path[PATH_MAX + 300];
    snprintf(path, sizeof path, "%s/%s", store->directory, name);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL(file);
    if (file) {
        fputs(name, file);
        fclose(file);
    }
}

static bool exists(const struct store *store, const char *name)
{
    char path[PATH_MAX + 300];
    snprintf(path, sizeof path, "%s/%s", store->directory, name);
    return access(path, F_OK) == 0;
}

static void assert_steps(const struct store *store, size_t expected_count, const uint64_t *expected)
{
    uint64_t *steps;
    size_t count;
    CU_ASSERT_TRUE(store_list(store, &steps, &count, &error));
    CU_ASSERT_EQUAL(count, expected_count);
    for (size_t i = 0; i < count && i < expected_count; i++)
        CU_ASSERT_EQUAL(steps[i], expected[i]);
    memory_free(steps);
}

static void names_are_as_documented(void)
{
    struct store store;
    char path[PATH_MAX];
    open_run(&store, "names");
    store_path(&store, 1200, path);
    CU_ASSERT_STRING_EQUAL(path + strlen(store.directory), "/step-000000001200.h5");
    store_partial_path(&store, 1200, path);
    CU_ASSERT_STRING_EQUAL(path + strlen(store.directory), "/.step-000000001200.h5.0000000000000abc.partial");
}

static void only_final_names_are_checkpoints_newest_first(void)
{
    struct store store;
    open_run(&store, "list");
    make_file(&store, "step-000000000100.h5");
    make_file(&store, "step-000000002000.h5");
    make_file(&store, "step-1000000000000.h5");
    make_file(&store, "step-000000000020.h5");
    make_file(&store, "step-20.h5");
    make_file(&store, "step-000000000030.h5.bak");
    make_file(&store, ".step-000000000040.h5.0000000000000001.partial");
    make_file(&store, "notes.txt");
    assert_steps(&store, 4, (const uint64_t[]){1000000000000, 2000, 100, 20});
}

static void a_directory_that_is_not_there_is_empty(void)
{
    struct store store;
    CU_ASSERT_TRUE(store_init(&store, test_path("nowhere"), 1, &error));
    assert_steps(&store, 0, NULL);
}

static void publishing_is_a_rename_over_an_older_one(void)
{
    struct store store;
    char path[PATH_MAX], *bytes;
    size_t count;
    open_run(&store, "publish");
    make_file(&store, "step-000000000007.h5");
    make_file(&store, ".step-000000000007.h5.0000000000000abc.partial");
    CU_ASSERT_TRUE(store_publish(&store, 7, &error));
    CU_ASSERT_FALSE(exists(&store, ".step-000000000007.h5.0000000000000abc.partial"));
    store_path(&store, 7, path);
    CU_ASSERT_TRUE(file_read(path, &bytes, &count, &error));
    CU_ASSERT_STRING_EQUAL(bytes, ".step-000000000007.h5.0000000000000abc.partial");
    memory_free(bytes);
    CU_ASSERT_FALSE(store_publish(&store, 8, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

static void pruning_keeps_the_newest_and_what_is_not_ours(void)
{
    struct store store;
    open_run(&store, "prune");
    for (uint64_t step = 10; step <= 60; step += 10) {
        char name[64];
        snprintf(name, sizeof name, "step-%012u.h5", (unsigned)step);
        make_file(&store, name);
    }
    make_file(&store, "step-000000000010.h5.mine");
    /* 60 is beyond the newest: a corrupt one that training will come to again. */
    CU_ASSERT_TRUE(store_prune(&store, 50, 2, 20, &error)); /* 20 is the best */
    assert_steps(&store, 4, (const uint64_t[]){60, 50, 40, 20});
    CU_ASSERT_TRUE(store_prune(&store, 50, 2, 0, &error));
    assert_steps(&store, 3, (const uint64_t[]){60, 50, 40});
    CU_ASSERT_TRUE(exists(&store, "step-000000000010.h5.mine"));
    CU_ASSERT_TRUE(store_prune(&store, 50, 9, 0, &error));
    assert_steps(&store, 3, (const uint64_t[]){60, 50, 40});
    CU_ASSERT_TRUE(store_clear(&store, &error));
    assert_steps(&store, 0, NULL);
    CU_ASSERT_TRUE(exists(&store, "step-000000000010.h5.mine"));
}

static void sweeping_takes_leftovers_and_nothing_else(void)
{
    struct store store;
    open_run(&store, "sweep");
    const char *const left[] = {".step-000000000010.h5.00000000000000ff.partial",
                                ".step-000000000010.h5.00000000000000ff.partial.locktest.0",
                                ".step-000000000010.h5.00000000000000ff.deleted"};
    const char *const stay[] = {"step-000000000010.h5", ".step-notes", ".hidden.partial", "x.partial", ".step-1.h5"};
    for (size_t i = 0; i < 3; i++)
        make_file(&store, left[i]);
    for (size_t i = 0; i < 5; i++)
        make_file(&store, stay[i]);
    store_sweep(&store);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_FALSE(exists(&store, left[i]));
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_TRUE(exists(&store, stay[i]));
}

static void a_deleted_directory_is_made_again(void)
{
    struct store store;
    open_run(&store, "deleted/deeper");
    make_file(&store, "step-000000000001.h5");
    CU_ASSERT_TRUE(store_restore_directory(&store, &error));
    CU_ASSERT_TRUE(exists(&store, "step-000000000001.h5"));
    CU_ASSERT_TRUE(store_clear(&store, &error));
    CU_ASSERT_EQUAL(rmdir(store.directory), 0);
    CU_ASSERT_EQUAL(rmdir(test_path("deleted/deeper")), 0);
    CU_ASSERT_TRUE(store_restore_directory(&store, &error));
    CU_ASSERT_TRUE(exists(&store, "."));
}

int main(void)
{
    const struct test_case cases[] = {
        {"names are as documented", names_are_as_documented},
        {"only final names are checkpoints, newest first", only_final_names_are_checkpoints_newest_first},
        {"a directory that is not there is an empty store", a_directory_that_is_not_there_is_empty},
        {"a directory that is deleted is made again, and no other is touched", a_deleted_directory_is_made_again},
        {"publishing is a rename, over an older file of the step", publishing_is_a_rename_over_an_older_one},
        {"pruning keeps the newest, and what is not ours", pruning_keeps_the_newest_and_what_is_not_ours},
        {"sweeping takes leftovers and nothing else", sweeping_takes_leftovers_and_nothing_else},
        {0},
    };
    return test_run("checkpoint/store", cases);
}
