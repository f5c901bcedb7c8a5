/* How a run stands, by what lies in its directory: its history, its metrics, its lock, and real checkpoints. */
#include "run/run_state.h"
#include "support/test.h"

#include "base/file.h"
#include "run/run_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct error error;
static char run[PATH_MAX];

#define BEGIN "{\"event\":\"begin\",\"unix\":1000,\"step\":0}\n"

/* A directory of its own. */
static void make_run(const char *name)
{
    char checkpoints[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_path(name));
    snprintf(checkpoints, sizeof checkpoints, "%.3000s/checkpoints", run);
    CU_ASSERT_TRUE(file_make_directories(checkpoints, &error));
}

static void write_file(enum run_file file, const char *content)
{
    char path[PATH_MAX];
    CU_ASSERT_TRUE(run_file_path(run, file, path) && file_replace(path, content, strlen(content), &error));
}

/* One of an older version, as the checkpoint of step 20; NULL: one of step 30, which is no good. */
static void put_checkpoint(const char *golden)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t count = 0;
    snprintf(path, sizeof path, "%.3000s/checkpoints/step-%012d.h5", run, golden ? 20 : 30);
    if (golden)
        CU_ASSERT_TRUE_FATAL(file_read(golden, &bytes, &count, &error));
    CU_ASSERT_TRUE(file_replace(path, bytes ? bytes : "", count, &error));
    free(bytes);
}

static void what_is_no_run_is_not_found(void)
{
    struct run_state state;
    make_run("empty");
    CU_ASSERT_FALSE(run_state_look(&state, run, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/empty has neither a history.jsonl nor checkpoints: not a run"));
    run_state_release(&state);
    CU_ASSERT_FALSE(run_state_look(&state, test_path("nowhere"), &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    run_state_release(&state);
    run_state_release(&state);
}

static void a_history_that_cannot_be_read_is_told(void)
{
    struct run_state state;
    char path[PATH_MAX];
    make_run("unread");
    CU_ASSERT(run_file_path(run, RUN_HISTORY, path) && mkdir(path, 0777) == 0);
    CU_ASSERT_FALSE(run_state_look(&state, run, &error));
    CU_ASSERT(error.kind != ERROR_NOT_FOUND && strstr(error.text, "history.jsonl"));
    run_state_release(&state);
}

static void a_run_that_was_killed_before_its_first_save_has_lost_all(void)
{
    struct run_state state;
    make_run("unsaved");
    write_file(RUN_HISTORY, BEGIN);
    write_file(RUN_METRICS, "{\"event\":\"start\",\"step\":0,\"alive_s\":1}\n{\"step\":7,\"alive_s\":70.5}\n");
    CU_ASSERT_TRUE_FATAL(run_state_look(&state, run, &error));
    CU_ASSERT(!state.is_running && !state.has_saved && state.saved == 0);
    CU_ASSERT_EQUAL_FATAL(state.lives.count, 1);
    const struct life *life = &state.lives.items[0];
    CU_ASSERT(life->reason == REASON_KILLED && life->interrupted && life->reached == 7 && life->lost_steps == 7);
    CU_ASSERT_EQUAL(life->alive_s, 70.5);
    run_state_release(&state);
}

/* It has said 70.5 s when the metrics were written, and has lived on since. */
static void a_run_whose_lock_is_held_is_at_work(void)
{
    struct run_state state;
    char path[PATH_MAX];
    int lock = -1;
    make_run("held");
    write_file(RUN_HISTORY, BEGIN);
    write_file(RUN_METRICS, "{\"step\":24,\"alive_s\":70.5}\n");
    put_checkpoint(GOLDEN_DIRECTORY "/checkpoint-v3.h5");
    CU_ASSERT(run_file_path(run, RUN_LOCK, path) && file_lock(path, 0, &lock, &error));
    test_nap(0.05);
    CU_ASSERT_TRUE_FATAL(run_state_look(&state, run, &error));
    CU_ASSERT(state.is_running && state.has_saved && state.saved == 20);
    const struct life *life = &state.lives.items[0];
    CU_ASSERT(life->reason == REASON_RUNNING && !life->interrupted && life->reached == 24 && life->lost_steps == 0);
    CU_ASSERT(life->alive_s > 70.52 && life->alive_s < 130);
    run_state_release(&state);
    close(lock);
    CU_ASSERT_TRUE_FATAL(run_state_look(&state, run, &error)); /* now it was killed */
    life = &state.lives.items[0];
    CU_ASSERT(!state.is_running && life->reason == REASON_KILLED && life->interrupted && life->lost_steps == 4);
    CU_ASSERT_EQUAL(life->alive_s, 70.5);
    run_state_release(&state);
}

/* What the provenance of the newest valid one tells; of files of older versions, too. */
static void without_a_history_a_checkpoint_tells(void)
{
    struct run_state state;
    make_run("older");
    put_checkpoint(GOLDEN_DIRECTORY "/checkpoint-v3.h5");
    put_checkpoint(NULL);
    for (int is_empty = 0; is_empty < 2; is_empty++) {
        CU_ASSERT_TRUE_FATAL(run_state_look(&state, run, &error));
        CU_ASSERT(state.has_saved && state.saved == 30); /* it does not look into it */
        CU_ASSERT_EQUAL_FATAL(state.lives.count, 2);
        const struct life *first = &state.lives.items[0], *second = &state.lives.items[1];
        CU_ASSERT(first->ranks == 2 && second->ranks == 3 && first->reached == second->step);
        CU_ASSERT(second->reached == 20 && second->ended);
        run_state_release(&state);
        write_file(RUN_HISTORY, "");
    }
    make_run("oldest");
    put_checkpoint(GOLDEN_DIRECTORY "/checkpoint-v1.h5");
    CU_ASSERT_TRUE_FATAL(run_state_look(&state, run, &error));
    CU_ASSERT_EQUAL_FATAL(state.lives.count, 1);
    CU_ASSERT(state.lives.items[0].ranks == 2 && state.lives.items[0].reached == 20);
    run_state_release(&state);
}

static void without_a_history_and_a_valid_checkpoint_nobody_tells(void)
{
    struct run_state state;
    make_run("spoilt");
    put_checkpoint(NULL);
    CU_ASSERT_FALSE(run_state_look(&state, run, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "step-000000000030.h5"));
    run_state_release(&state);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what is no run is not found", what_is_no_run_is_not_found},
        {"a history that cannot be read is told", a_history_that_cannot_be_read_is_told},
        {"a run that was killed before its first save has lost all",
         a_run_that_was_killed_before_its_first_save_has_lost_all},
        {"a run whose lock is held is at work", a_run_whose_lock_is_held_is_at_work},
        {"without a history a checkpoint tells", without_a_history_a_checkpoint_tells},
        {"without a history and a valid checkpoint nobody tells",
         without_a_history_and_a_valid_checkpoint_nobody_tells},
        {0},
    };
    return test_run("run/run_state", cases);
}
