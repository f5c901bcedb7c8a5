#include "checkpoint/pin.h"
#include "checkpoint/record.h"
#include "checkpoint/seal.h"
#include "checkpoint/store.h"
#include "h5/h5.h"
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
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

/* As little of a checkpoint as makes it ours. */
static void make_ours(const struct store *store, const char *name)
{
    char path[PATH_MAX + 300];
    snprintf(path, sizeof path, "%s/%s", store->directory, name);
    hid_t file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(file >= 0);
    CU_ASSERT_TRUE(h5_put_text(file, "format", RECORD_FORMAT, &error));
    h5_close(file);
}

static void make_checkpoint(const struct store *store, uint64_t step)
{
    char name[64];
    snprintf(name, sizeof name, "step-%012u.h5", (unsigned)step);
    make_ours(store, name);
}

static void make_checkpoints(const struct store *store, uint64_t first, uint64_t last)
{
    for (uint64_t step = first; step <= last; step += 10)
        make_checkpoint(store, step);
}

static const struct retention nothing = {0}, two = {.newest = 2};

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
    make_checkpoint(&store, 7);
    make_file(&store, ".step-000000000007.h5.0000000000000abc.partial");
    CU_ASSERT_TRUE(store_publish(&store, 7, &error));
    CU_ASSERT_FALSE(exists(&store, ".step-000000000007.h5.0000000000000abc.partial"));
    CU_ASSERT_FALSE(exists(&store, "step-000000000007.h5.rejected"));
    store_path(&store, 7, path);
    CU_ASSERT_TRUE(file_read(path, &bytes, &count, &error));
    CU_ASSERT_STRING_EQUAL(bytes, ".step-000000000007.h5.0000000000000abc.partial");
    memory_free(bytes);
    CU_ASSERT_FALSE(store_publish(&store, 8, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

static void publishing_puts_a_stranger_aside(void)
{
    struct store store;
    char path[PATH_MAX], *bytes;
    size_t count;
    open_run(&store, "stranger");
    make_file(&store, "step-000000000007.h5");
    make_file(&store, ".step-000000000007.h5.0000000000000abc.partial");
    CU_ASSERT_TRUE(store_publish(&store, 7, &error));
    store_rejected_path(&store, 7, path);
    CU_ASSERT_TRUE(file_read(path, &bytes, &count, &error));
    CU_ASSERT_STRING_EQUAL(bytes, "step-000000000007.h5");
    memory_free(bytes);
}

static void ours_is_what_begins_as_ours(void)
{
    struct store store;
    char path[PATH_MAX];
    open_run(&store, "ours");
    make_checkpoint(&store, 1);
    make_file(&store, "step-000000000002.h5");
    store_path(&store, 1, path);
    CU_ASSERT_TRUE(seal_is_ours(path));
    store_path(&store, 2, path);
    CU_ASSERT_FALSE(seal_is_ours(path));
    store_path(&store, 3, path);
    CU_ASSERT_FALSE(seal_is_ours(path));
    CU_ASSERT_FALSE(seal_is_ours(store.directory));
    hid_t file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT); /* HDF5, but somebody else's */
    h5_close(file);
    CU_ASSERT_FALSE(seal_is_ours(path));
}

static void pruning_keeps_the_newest_the_best_and_every_nth(void)
{
    struct store store;
    open_run(&store, "prune");
    make_checkpoints(&store, 10, 120);
    make_file(&store, "step-000000000010.h5.mine");
    /* 120 is beyond the newest: training will come to it again. */
    struct retention retention = {.newest = 2, .every = 50, .best = {20, 110, 70}, .best_count = 3};
    CU_ASSERT_TRUE(store_prune(&store, 110, &retention, &error));
    assert_steps(&store, 6, (const uint64_t[]){120, 110, 100, 70, 50, 20});
    retention.best_count = 1;
    CU_ASSERT_TRUE(store_prune(&store, 110, &retention, &error));
    assert_steps(&store, 5, (const uint64_t[]){120, 110, 100, 50, 20});
    CU_ASSERT_TRUE(store_prune(&store, 110, &two, &error));
    assert_steps(&store, 3, (const uint64_t[]){120, 110, 100});
    CU_ASSERT_TRUE(store_prune(&store, 110, &(struct retention){.newest = SIZE_MAX}, &error));
    assert_steps(&store, 3, (const uint64_t[]){120, 110, 100});
    CU_ASSERT_TRUE(exists(&store, "step-000000000010.h5.mine"));
}

static void pruning_does_not_touch_strangers_nor_count_them(void)
{
    struct store store;
    open_run(&store, "strangers");
    make_checkpoints(&store, 10, 50);
    make_file(&store, "step-000000000015.h5");
    make_file(&store, "step-000000000045.h5");
    CU_ASSERT_TRUE(store_prune(&store, 50, &two, &error));
    assert_steps(&store, 4, (const uint64_t[]){50, 45, 40, 15});
    CU_ASSERT_TRUE(store_clear(&store, &error));
    assert_steps(&store, 0, NULL);
    CU_ASSERT_TRUE(exists(&store, "step-000000000015.h5.rejected"));
    CU_ASSERT_TRUE(exists(&store, "step-000000000045.h5.rejected"));
    CU_ASSERT_FALSE(exists(&store, "step-000000000050.h5.rejected"));
}

static void the_newest_rejected_ones_stay(void)
{
    struct store store;
    open_run(&store, "rejected");
    make_checkpoints(&store, 10, 60);
    make_file(&store, "step-000000000005.h5");
    CU_ASSERT_TRUE(store_reject(&store, 5, &error));
    for (uint64_t step = 10; step <= 50; step += 10)
        CU_ASSERT_TRUE(store_reject(&store, step, &error));
    make_file(&store, "step-000000000020.h5.pinned");
    CU_ASSERT_TRUE(store_prune(&store, 60, &two, &error));
    uint64_t *steps;
    size_t count;
    CU_ASSERT_TRUE(store_list_rejected(&store, &steps, &count, &error));
    CU_ASSERT_EQUAL(count, 4); /* 5 is a stranger, 20 was pinned */
    CU_ASSERT(count == 4 && steps[0] == 50 && steps[1] == 40 && steps[2] == 20 && steps[3] == 5);
    memory_free(steps);
}

static void a_rejected_one_does_not_take_the_place_of_a_stranger(void)
{
    struct store store;
    open_run(&store, "in-the-way");
    make_checkpoint(&store, 10);
    make_file(&store, "step-000000000010.h5.rejected");
    make_file(&store, "step-000000000010.h5.rejected.2");
    CU_ASSERT_TRUE(store_reject(&store, 10, &error));
    assert_steps(&store, 0, NULL);
    char path[PATH_MAX];
    store_rejected_path(&store, 10, path);
    CU_ASSERT_FALSE(seal_is_ours(path));
    strcat(path, ".3");
    CU_ASSERT_TRUE(seal_is_ours(path));
    store_rejected_path(&store, 10, path);
    unlink(path);
    make_checkpoint(&store, 10);
    CU_ASSERT_TRUE(store_reject(&store, 10, &error));
    make_checkpoint(&store, 10);
    CU_ASSERT_TRUE(store_reject(&store, 10, &error)); /* over one of ours */
    CU_ASSERT_TRUE(seal_is_ours(path));
}

static void what_was_to_stay_for_ever_can_be_pinned(void)
{
    struct store store;
    char path[PATH_MAX];
    size_t count;
    open_run(&store, "promises");
    make_checkpoints(&store, 10, 60);
    make_file(&store, "step-000000000080.h5");
    store_path(&store, 20, path);
    CU_ASSERT_TRUE(pin_add(path, &error));
    CU_ASSERT_TRUE(store_pin_every(&store, 20, 60, &count, &error));
    CU_ASSERT_EQUAL(count, 1); /* 20 is pinned already, 60 stays all the same, 80 is a stranger */
    CU_ASSERT_TRUE(store_prune(&store, 60, &nothing, &error));
    assert_steps(&store, 3, (const uint64_t[]){80, 40, 20});
    CU_ASSERT_TRUE(store_pin_every(&store, 20, 0, &count, &error));
    CU_ASSERT_EQUAL(count, 0);
}

static void a_pinned_one_is_never_taken_away(void)
{
    struct store store;
    char path[PATH_MAX];
    open_run(&store, "pins");
    make_checkpoints(&store, 10, 50);
    store_path(&store, 20, path);
    CU_ASSERT_FALSE(pin_exists(path));
    CU_ASSERT_TRUE(pin_add(path, &error));
    CU_ASSERT_TRUE(pin_add(path, &error));
    CU_ASSERT_TRUE(pin_exists(path));
    CU_ASSERT_TRUE(exists(&store, "step-000000000020.h5.pinned"));
    CU_ASSERT_TRUE(store_prune(&store, 50, &nothing, &error));
    assert_steps(&store, 1, (const uint64_t[]){20});
    make_checkpoint(&store, 30);
    CU_ASSERT_FALSE(store_clear(&store, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "step 20 is pinned"));
    assert_steps(&store, 2, (const uint64_t[]){30, 20});
    CU_ASSERT_TRUE(pin_remove(path, &error));
    make_file(&store, "step-000000000020.h5.pinned"); /* not empty: not a marker of ours */
    CU_ASSERT_FALSE(pin_remove(path, &error));
    CU_ASSERT_TRUE(exists(&store, "step-000000000020.h5.pinned"));
    unlink(strcat(path, ".pinned"));
    store_path(&store, 20, path);
    CU_ASSERT_FALSE(pin_remove(path, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_TRUE(store_clear(&store, &error));
    assert_steps(&store, 0, NULL);
}

static void only_a_checkpoint_can_be_pinned(void)
{
    struct store store;
    char path[PATH_MAX];
    open_run(&store, "unpinnable");
    store_path(&store, 20, path);
    CU_ASSERT_FALSE(pin_add(path, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_FALSE(pin_remove(path, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    make_file(&store, "step-000000000020.h5");
    CU_ASSERT_FALSE(pin_add(path, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    make_ours(&store, "copy.h5");
    snprintf(path, sizeof path, "%s/copy.h5", store.directory);
    CU_ASSERT_FALSE(pin_add(path, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_FALSE(exists(&store, "step-000000000020.h5.pinned"));
    CU_ASSERT_FALSE(exists(&store, "copy.h5.pinned"));
}

#define RACES 150

/* Pins what it is told to, and answers with the verdict. */
static void pin_in_another_process(const struct store *store, int questions, int answers)
{
    uint64_t step;
    while (read(questions, &step, sizeof step) == sizeof step) {
        char path[PATH_MAX], verdict;
        store_path(store, step, path);
        verdict = pin_add(path, &error);
        if (write(answers, &verdict, 1) != 1)
            break;
    }
    _exit(0);
}

static void who_pins_and_who_prunes_do_not_miss_each_other(void)
{
    struct store store;
    int questions[2], answers[2];
    unsigned pinned = 0, wrong = 0;
    open_run(&store, "race");
    CU_ASSERT(pipe(questions) == 0 && pipe(answers) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(questions[1]);
        pin_in_another_process(&store, questions[0], answers[1]);
    }
    close(questions[0]);
    for (uint64_t step = 1; step <= RACES; step++) {
        char verdict = 0, path[PATH_MAX];
        make_checkpoint(&store, step);
        store_path(&store, step, path);
        CU_ASSERT_EQUAL(write(questions[1], &step, sizeof step), sizeof step);
        usleep((unsigned)(step % 100 * 5)); /* so that they meet at other places */
        CU_ASSERT_TRUE(store_prune(&store, step, &nothing, &error));
        CU_ASSERT_EQUAL(read(answers[0], &verdict, 1), 1);
        pinned += verdict != 0;
        wrong += verdict ? access(path, F_OK) != 0 : pin_exists(path);
    }
    close(questions[1]);
    waitpid(child, NULL, 0);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(pinned > 0);
    close(answers[0]);
    close(answers[1]);
}

static void sweeping_takes_leftovers_and_nothing_else(void)
{
    struct store store;
    open_run(&store, "sweep");
    const char *const left[] = {
        ".step-000000000010.h5.00000000000000ff.partial", ".step-000000000010.h5.00000000000000ff.partial.locktest.0",
        ".step-000000000010.h5.00000000000000ff.deleted", ".step-1000000000000.h5.00000000000000ff.deleted"};
    const char *const stay[] = {"step-000000000010.h5",
                                ".step-notes",
                                ".hidden.partial",
                                "x.partial",
                                ".step-1.h5",
                                ".step-000000000010.h5.mine.partial",
                                ".step-000000000010.h5.00000000000000ff",
                                ".step-000000000010.h5.00000000000000ff.partially",
                                ".step-000000000010.h5.00000000000000ff.deleted.bak",
                                ".step-000000000010.h5.00000000000000fff.partial",
                                ".step-000000000010.h5.000000000000FFFF.partial",
                                ".step-00000000010.h5.00000000000000ff.deleted",
                                ".step-10.h5.00000000000000ff.partial"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        make_file(&store, left[i]);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        make_file(&store, stay[i]);
    store_sweep(&store);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        CU_ASSERT_FALSE(exists(&store, left[i]));
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        CU_ASSERT_TRUE(exists(&store, stay[i]));
}

static void make_empty(const struct store *store, const char *name)
{
    char path[PATH_MAX + 300];
    snprintf(path, sizeof path, "%s/%s", store->directory, name);
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL(file);
    if (file)
        fclose(file);
}

static void sweeping_takes_markers_whose_checkpoint_is_gone(void)
{
    struct store store;
    open_run(&store, "markers");
    make_checkpoint(&store, 10);
    make_checkpoint(&store, 20);
    CU_ASSERT_TRUE(store_reject(&store, 20, &error));
    for (unsigned step = 10; step <= 40; step += 10) {
        char name[64];
        snprintf(name, sizeof name, "step-%012u.h5.pinned", step);
        make_empty(&store, name);
    }
    make_file(&store, "step-000000000050.h5.pinned"); /* not empty: not a marker of ours */
    /* Pinned between its unpublishing and the kill of who had unpublished it: it comes back. */
    make_ours(&store, ".step-000000000040.h5.00000000000000ff.deleted");
    store_sweep(&store);
    CU_ASSERT_TRUE(exists(&store, "step-000000000010.h5.pinned"));
    CU_ASSERT_TRUE(exists(&store, "step-000000000020.h5.pinned"));
    CU_ASSERT_FALSE(exists(&store, "step-000000000030.h5.pinned"));
    CU_ASSERT_TRUE(exists(&store, "step-000000000040.h5.pinned"));
    CU_ASSERT_TRUE(exists(&store, "step-000000000050.h5.pinned"));
    assert_steps(&store, 2, (const uint64_t[]){40, 10});
}

static void a_deleted_directory_is_made_again(void)
{
    struct store store;
    open_run(&store, "deleted/deeper");
    make_checkpoint(&store, 1);
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
    h5_init();
    const struct test_case cases[] = {
        {"names are as documented", names_are_as_documented},
        {"only final names are checkpoints, newest first", only_final_names_are_checkpoints_newest_first},
        {"a directory that is not there is an empty store", a_directory_that_is_not_there_is_empty},
        {"a directory that is deleted is made again, and no other is touched", a_deleted_directory_is_made_again},
        {"publishing is a rename, over an older file of the step", publishing_is_a_rename_over_an_older_one},
        {"publishing puts a file that is not ours aside", publishing_puts_a_stranger_aside},
        {"ours is what begins as ours", ours_is_what_begins_as_ours},
        {"pruning keeps the newest, the best and every n-th", pruning_keeps_the_newest_the_best_and_every_nth},
        {"pruning does not touch strangers, nor count them", pruning_does_not_touch_strangers_nor_count_them},
        {"of the rejected ones the newest stay", the_newest_rejected_ones_stay},
        {"a rejected one does not take the place of a stranger", a_rejected_one_does_not_take_the_place_of_a_stranger},
        {"what was to stay for ever can be pinned", what_was_to_stay_for_ever_can_be_pinned},
        {"a pinned one is never taken away", a_pinned_one_is_never_taken_away},
        {"only a checkpoint can be pinned", only_a_checkpoint_can_be_pinned},
        {"who pins and who prunes do not miss each other", who_pins_and_who_prunes_do_not_miss_each_other},
        {"sweeping takes leftovers and nothing else", sweeping_takes_leftovers_and_nothing_else},
        {"sweeping takes markers whose checkpoint is gone", sweeping_takes_markers_whose_checkpoint_is_gone},
        {0},
    };
    return test_run("checkpoint/store", cases);
}
