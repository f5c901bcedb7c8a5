/* What a launch has come to, by the lives of the run. */
#include "launch/ending.h"

#include "support/test.h"

#include <stdio.h>

/* Lives as the history tells them. */
static struct life of(uint64_t step, const char *end, bool ended, bool interrupted)
{
    struct life life = {.step = step, .reached = step, .ended = ended, .interrupted = interrupted};
    snprintf(life.end, sizeof life.end, "%s", end);
    life.reason = reason_of(end);
    return life;
}

static struct run_state run_of(struct life *lives, size_t count, uint64_t saved)
{
    return (struct run_state){.lives = {.items = lives, .count = count}, .has_saved = saved > 0, .saved = saved};
}

/* The judgement on a launch that has made one life, the second of the run. */
static enum ending judge(struct life second, int code)
{
    struct life lives[] = {of(0, "SIGUSR1", true, true), second};
    struct run_state run = run_of(lives, 2, 10);
    return ending_judge(&run, 1, code);
}

static void the_last_life_tells_what_a_launch_has_come_to(void)
{
    for (int code = 0; code < 140; code += 45) { /* whatever the launcher says */
        CU_ASSERT_EQUAL(judge(of(10, "finished", true, false), code), ENDING_FINISHED);
        CU_ASSERT_EQUAL(judge(of(10, "early_stopping", true, false), code), ENDING_FINISHED);
        CU_ASSERT_EQUAL(judge(of(10, "SIGTERM", true, true), code), ENDING_LEFT);
        CU_ASSERT_EQUAL(judge(of(10, "deadline", true, false), code), ENDING_LEFT);
        CU_ASSERT_EQUAL(judge(of(10, "stop-after", true, false), code), ENDING_PAUSED);
        CU_ASSERT_EQUAL(judge(of(10, "failed: no room", true, true), code), ENDING_FAILED);
        CU_ASSERT_EQUAL(judge(of(10, "killed", false, true), code), ENDING_KILLED);
        CU_ASSERT_EQUAL(judge(of(10, "killed", true, true), code), ENDING_KILLED); /* by a checkpoint's provenance */
    }
}

static void without_a_new_life_the_exit_code_tells_the_rest(void)
{
    struct life done[] = {of(0, "finished", true, false)}, killed[] = {of(0, "killed", false, true)};
    struct run_state finished = run_of(done, 1, 10), open = run_of(killed, 1, 10), empty = run_of(NULL, 0, 0);
    CU_ASSERT_EQUAL(ending_judge(&finished, 1, 0), ENDING_FINISHED);
    CU_ASSERT_EQUAL(ending_judge(&finished, 1, 1), ENDING_NOT_BEGUN);
    CU_ASSERT_EQUAL(ending_judge(&finished, 1, 2), ENDING_REFUSED);
    CU_ASSERT_EQUAL(ending_judge(&open, 1, 0), ENDING_NOT_BEGUN);
    CU_ASSERT_EQUAL(ending_judge(&empty, 0, 0), ENDING_NOT_BEGUN);
    CU_ASSERT_EQUAL(ending_judge(&empty, 0, 2), ENDING_REFUSED);
}

static void a_request_that_was_good_once_waits_for_what_it_lacks(void)
{
    const enum error_kind lacks[] = {ERROR_USAGE, ERROR_NOT_FOUND, ERROR_CORRUPT, ERROR_VERSION};
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        CU_ASSERT_EQUAL(ending_of_refusal(lacks[i], false), ENDING_REFUSED);
        CU_ASSERT_EQUAL(ending_of_refusal(lacks[i], true), ENDING_NOT_BEGUN);
    }
    for (int was_good = 0; was_good < 2; was_good++) {
        CU_ASSERT_EQUAL(ending_of_refusal(ERROR_BUSY, was_good), ENDING_REFUSED);
        CU_ASSERT_EQUAL(ending_of_refusal(ERROR_IO, was_good), ENDING_NOT_BEGUN);
        CU_ASSERT_EQUAL(ending_of_refusal(ERROR_FULL, was_good), ENDING_NOT_BEGUN);
    }
}

static void lives_are_futile_that_leave_no_newer_checkpoint(void)
{
    struct life lives[] = {of(0, "killed", false, true), of(20, "killed", false, true), of(20, "killed", false, true),
                           of(20, "failed: x", true, true)};
    struct run_state run = run_of(lives, 4, 20);
    CU_ASSERT_EQUAL(ending_futile(&run, 0, false), 3);
    CU_ASSERT_EQUAL(ending_futile(&run, 2, false), 2);
    lives[2].restart = lives[3].restart = 1; /* the second was killed by a preemption */
    CU_ASSERT_EQUAL(ending_futile(&run, 0, false), 2);
    CU_ASSERT_EQUAL(ending_futile(&run, 0, true), 3);
    lives[2].restart = lives[3].restart = 0;
    CU_ASSERT_EQUAL(ending_futile(&run, 4, false), 0);
    run.saved = 21;
    CU_ASSERT_EQUAL(ending_futile(&run, 0, false), 0);
    run.saved = 20;
    lives[3].step = 25; /* its start found copies of a later step */
    CU_ASSERT_EQUAL(ending_futile(&run, 0, false), 1);
    lives[3] = of(20, "running", false, false); /* its launcher is gone, and the ranks are about to be */
    CU_ASSERT_EQUAL(ending_futile(&run, 0, false), 3);
    lives[3] = of(20, "stop-after", true, false);
    CU_ASSERT_EQUAL(ending_futile(&run, 0, false), 0);
}

static void a_failure_repeats_with_the_same_words_and_nothing_won(void)
{
    struct life lives[] = {of(20, "failed: x", true, true), of(20, "failed: x", true, true)};
    struct run_state run = run_of(lives, 2, 20);
    CU_ASSERT_TRUE(ending_repeats(&run, 0));
    CU_ASSERT_FALSE(ending_repeats(&run, 1));
    run.saved = 30;
    CU_ASSERT_FALSE(ending_repeats(&run, 0));
    run.saved = 20;
    lives[0] = of(20, "failed: y", true, true);
    CU_ASSERT_FALSE(ending_repeats(&run, 0));
    lives[0] = of(20, "failed: x", true, true);
    lives[1].transient = true; /* a full disk, say */
    CU_ASSERT_FALSE(ending_repeats(&run, 0));
    lives[0] = lives[1] = of(20, "killed", false, true);
    CU_ASSERT_FALSE(ending_repeats(&run, 0));
    run = run_of(NULL, 0, 0);
    CU_ASSERT_FALSE(ending_repeats(&run, 0));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the last life tells what a launch has come to", the_last_life_tells_what_a_launch_has_come_to},
        {"without a new life the exit code tells the rest", without_a_new_life_the_exit_code_tells_the_rest},
        {"a request that was good once waits for what it lacks", a_request_that_was_good_once_waits_for_what_it_lacks},
        {"lives are futile that leave no newer checkpoint", lives_are_futile_that_leave_no_newer_checkpoint},
        {"a failure repeats with the same words and nothing won",
         a_failure_repeats_with_the_same_words_and_nothing_won},
        {0},
    };
    return test_run("launch/ending", cases);
}
