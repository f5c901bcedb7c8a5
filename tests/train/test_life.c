/* The lives of a run, as real sessions leave them: what the log, the history and the provenance of a checkpoint tell of
 * those that were killed, asked to leave, failed, or finished. */
#include "train/session_support.h"

#include "policy/flags.h"
#include "run/run_files.h"
#include "run/run_state.h"

#include <math.h>

/* A life as a line: "step-reached end", with "!" if it was interrupted, and with the steps that it has lost. */
static void tell_life(const struct life *life, struct text *lives)
{
    text_append(lives, "%s%" PRIu64 "-%" PRIu64 " %s%s", lives->length ? ", " : "", life->step, life->reached,
                life->end, life->interrupted ? "!" : "");
    if (life->lost_steps > 0)
        text_append(lives, " lost %" PRIu64, life->lost_steps);
}

/* Rank 0's work. What `lockstep history` would tell. */
static void expect_lives(const char *run, bool is_running, const char *expected)
{
    struct run_state state;
    struct text lives;
    if (world.rank != 0)
        return;
    text_init(&lives);
    if (expect_ok(run_state_look(&state, run, &error))) {
        for (size_t i = 0; i < state.lives.count; i++)
            tell_life(&state.lives.items[i], &lives);
        expect_text(text_bytes(&lives), expected);
        CU_ASSERT_EQUAL(state.is_running, is_running);
    }
    run_state_release(&state);
    text_release(&lives);
}

/* Collective. A life begins, and its first line has these words. */
static bool begin_life(struct trial *trial, const char *run, const char *setting, const char *words)
{
    MPI_Barrier(world.comm);
    if (!trial_start(trial, run, SETTINGS(setting)))
        return false;
    struct hearing hearing = hearing_begin();
    trial_begin(trial);
    hearing_end(&hearing);
    expect_heard(&hearing, words);
    hearing_release(&hearing);
    return true;
}

/* Collective. It is killed after this step. */
static void kill_life(struct trial *trial, uint64_t step)
{
    trial_train(trial, step);
    trial_close(trial);
    MPI_Barrier(world.comm);
}

static void a_life_that_was_killed_before_its_first_save_counts(void)
{
    struct trial trial = {0};
    struct text where;
    char run[PATH_MAX];
    text_init(&where);
    text_append(&where, "%d rank%s on 1 node", world.size, world.size == 1 ? "" : "s");
    snprintf(run, sizeof run, "%s", test_mpi_path("unsaved"));
    if (!begin_life(&trial, run, NULL, "starts at step 0 of 12: segment 1, "))
        return;
    kill_life(&trial, 3);
    expect_lives(run, false, "0-3 killed! lost 3");
    expect_files(run, "");
    char words[200];
    snprintf(words, sizeof words, "starts at step 0 of 12: segment 2, %s, 3 steps lost, ", text_bytes(&where));
    if (!begin_life(&trial, run, NULL, words))
        return;
    expect_events(&trial, "start", "nothing", "0 , 0 ");
    expect_lives(run, true, "0-3 killed! lost 3, 0-0 running");
    kill_life(&trial, 2);
    snprintf(words, sizeof words, "starts at step 0 of 12: segment 3, %s, 2 steps lost, ", text_bytes(&where));
    if (!begin_life(&trial, run, NULL, words))
        return;
    CU_ASSERT_EQUAL(trial.session.record.segment_count, 1); /* no checkpoint knows of the others */
    CU_ASSERT(world.rank != 0 || trial.session.cadence.past.interruptions == 2);
    trial_train(&trial, 4);
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_PAUSE));
    trial_end(&trial, "stop-after", false, NULL);
    expect_lives(run, false, "0-3 killed! lost 3, 0-2 killed! lost 2, 0-5 stop-after");
    text_release(&where);
}

/* Collective. What the provenance in the record tells: "first-last end", of the life that runs, too. */
static void expect_segments(const struct trial *trial, const char *expected)
{
    const struct record *record = &trial->session.record;
    struct text segments;
    text_init(&segments);
    for (size_t i = 0; i < record->segment_count; i++)
        text_append(&segments, "%s%" PRIu64 "-%" PRIu64 " %s", i ? ", " : "", record->segments[i].first_step,
                    record->segments[i].last_step, record->segments[i].end);
    expect_text(text_bytes(&segments), expected);
    text_release(&segments);
}

static void lives_of_all_kinds_follow_each_other(void)
{
    struct trial trial = {0};
    const struct error full = {.kind = ERROR_FULL, .text = "no room"};
    const char *every = "checkpoint.every=4";
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("kinds"));
    if (!begin_life(&trial, run, every, "starts at step 0 of 12: segment 1, "))
        return;
    kill_life(&trial, 6);
    expect_lives(run, false, "0-6 killed! lost 2");
    if (!begin_life(&trial, run, every, "goes on at step 4 of 12: segment 2, "))
        return;
    expect_segments(&trial, "1-4 interrupted, 5-4 ");
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_SIGTERM));
    trial_end(&trial, "SIGTERM", true, NULL);
    if (!begin_life(&trial, run, every, "goes on at step 5 of 12: segment 3, "))
        return;
    expect_segments(&trial, "1-4 interrupted, 5-5 SIGTERM, 6-5 ");
    trial_train(&trial, 9);
    trial_end(&trial, "failed", true, &full);
    if (!begin_life(&trial, run, every, "goes on at step 8 of 12: segment 4, "))
        return;
    CU_ASSERT(world.rank != 0 || trial.session.cadence.past.interruptions == 3);
    trial_train(&trial, 12);
    trial_end(&trial, "finished", false, NULL);
    expect_lives(run, false, "0-6 killed! lost 2, 4-5 SIGTERM!, 5-9 failed: no room! lost 1, 8-12 finished");
    expect_end(run, 12, "finished", "finished");
}

/* What only the provenance of the newest checkpoint tells then, without those that were killed before a save. */
static void a_run_that_has_lost_its_history_counts_from_its_checkpoint(void)
{
    struct trial trial = {0};
    char run[PATH_MAX], path[PATH_MAX];
    const char *every = "checkpoint.every=4";
    snprintf(run, sizeof run, "%s", test_mpi_path("forgotten"));
    for (uint64_t step = 3; step <= 9; step += 3) {
        if (!begin_life(&trial, run, every, ""))
            return;
        kill_life(&trial, step);
    }
    expect_lives(run, false, "0-3 killed! lost 3, 0-6 killed! lost 2, 4-9 killed! lost 1");
    run_file_path(run, RUN_HISTORY, path);
    CU_ASSERT(world.rank != 0 || unlink(path) == 0);
    expect_lives(run, false, "0-4 killed!, 4-8 killed!");
    if (!begin_life(&trial, run, every, "goes on at step 8 of 12: segment 3, "))
        return;
    expect_lives(run, true, "0-4 killed!, 4-8 killed!, 8-8 running");
    kill_life(&trial, 10);
}

/* The same batch job, which its system has started again. */
static void a_life_knows_its_batch_job_and_how_often_that_was_requeued(void)
{
    struct trial trial = {0};
    struct run_state state;
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("requeued"));
    setenv("SLURM_JOB_ID", "77", 1);
    bool begun = begin_life(&trial, run, NULL, ", job 77\n");
    if (begun)
        kill_life(&trial, 2);
    setenv("SLURM_RESTART_COUNT", "1", 1);
    begun = begun && begin_life(&trial, run, NULL, ", restart 1 of job 77, 2 steps lost, ");
    if (begun)
        kill_life(&trial, 1);
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
    if (!begun || world.rank != 0)
        return;
    expect_ok(run_state_look(&state, run, &error));
    CU_ASSERT_EQUAL(state.lives.count, 2);
    for (size_t i = 0; i < state.lives.count; i++) {
        expect_text(state.lives.items[i].job, "77");
        CU_ASSERT_EQUAL(state.lives.items[i].restart, i);
    }
    run_state_release(&state);
}

/* A start that has nothing to do, and one that is refused. */
static void a_start_without_a_step_is_no_life(void)
{
    struct trial trial = {0};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("nothing"));
    if (!begin_life(&trial, run, NULL, "segment 1, "))
        return;
    trial_train(&trial, 12);
    trial_close(&trial); /* killed between its last save and its last words */
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, SETTINGS("seed=3")));
    MPI_Barrier(world.comm);
    expect_lives(run, false, "0-12 killed!");
    for (int start = 0; start < 2; start++) {
        MPI_Barrier(world.comm);
        if (!trial_start(&trial, run, NULL))
            return;
        CU_ASSERT(boundary_is_finished(&trial.session) && trial.session.saving.saved_step == 12);
        struct hearing hearing = hearing_begin();
        progress_nothing_left(&trial.session, boundary_reason(&trial.session, 0));
        hearing_end(&hearing);
        expect_heard(&hearing, "step 12 of 12: the job is already finished");
        hearing_release(&hearing);
        trial_close(&trial);
        /* The first one tells what nobody could tell. */
        expect_lives(run, false, "0-12 killed!, 12-12 finished");
    }
}

/* Killed behind the cut of the metrics (fault point metrics-cut), before its first line in the history. */
static void a_start_that_says_nothing_hides_nothing(void)
{
    struct trial trial = {0};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("cut"));
    if (!begin_life(&trial, run, NULL, "segment 1, "))
        return;
    kill_life(&trial, 3);
    expect_lives(run, false, "0-3 killed! lost 3");
    if (!trial_start(&trial, run, NULL))
        return;
    trial_close(&trial);
    MPI_Barrier(world.comm);
    expect_lives(run, false, "0-3 killed! lost 3");
    if (!begin_life(&trial, run, NULL, "3 steps lost"))
        return;
    expect_lives(run, true, "0-3 killed! lost 3, 0-0 running");
    trial_close(&trial);
}

/* A disk was full when the file was made, or somebody has emptied it: as if there were none. */
static void an_empty_history_hides_no_life_from_the_next(void)
{
    struct trial trial = {0};
    char run[PATH_MAX], path[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("emptied"));
    if (!begin_life(&trial, run, "checkpoint.every=2", "segment 1, "))
        return;
    kill_life(&trial, 3);
    run_file_path(run, RUN_HISTORY, path);
    CU_ASSERT(world.rank != 0 || truncate(path, 0) == 0);
    expect_lives(run, false, "0-2 killed!");
    if (!begin_life(&trial, run, "checkpoint.every=2", "segment 2, "))
        return;
    expect_lives(run, true, "0-2 killed!, 2-2 running");
    trial_close(&trial);
}

/* Nor in the history, where it is told with "interrupted":false. */
static void a_pause_is_no_interruption_in_the_provenance_either(void)
{
    struct trial trial = {0};
    char run[PATH_MAX], path[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("paused"));
    if (!begin_life(&trial, run, NULL, "segment 1, "))
        return;
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_PAUSE));
    trial_end(&trial, "stop-after", false, NULL);
    MPI_Barrier(world.comm);
    expect_lives(run, false, "0-1 stop-after");
    run_file_path(run, RUN_HISTORY, path);
    CU_ASSERT(world.rank != 0 || unlink(path) == 0);
    expect_lives(run, false, "0-1 stop-after");
    if (!begin_life(&trial, run, NULL, "segment 2, "))
        return;
    CU_ASSERT(world.rank != 0 || trial.session.cadence.past.interruptions == 0);
    trial_close(&trial);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"a life that was killed before its first save counts", a_life_that_was_killed_before_its_first_save_counts},
        {"lives of all kinds follow each other", lives_of_all_kinds_follow_each_other},
        {"a run that has lost its history counts from its checkpoint",
         a_run_that_has_lost_its_history_counts_from_its_checkpoint},
        {"a life knows its batch job, and how often that was requeued",
         a_life_knows_its_batch_job_and_how_often_that_was_requeued},
        {"a start without a step is no life", a_start_without_a_step_is_no_life},
        {"a start that says nothing hides nothing", a_start_that_says_nothing_hides_nothing},
        {"an empty history hides no life from the next", an_empty_history_hides_no_life_from_the_next},
        {"a pause is no interruption in the provenance either", a_pause_is_no_interruption_in_the_provenance_either},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/life", cases);
}
