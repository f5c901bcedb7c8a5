/* When to save. Times are given, not waited for. */
#include "base/file.h"
#include "policy/cadence.h"
#include "policy/preemption.h"
#include "support/test.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct cadence_past nothing = {0};
static struct error error;

static struct job new_job(void)
{
    static char nowhere[] = "no such directory";
    struct job job = {.run = nowhere};
    job.checkpoint.overhead = 0.01;
    return job;
}

static struct job auto_job(void)
{
    struct job job = new_job();
    job.checkpoint.every = CHECKPOINT_AUTO;
    return job;
}

static void assert_near(double actual, double expected, double relative)
{
    bool near = fabs(actual - expected) <= relative * expected;
    if (!near)
        printf("    expected: %.9g\n    actual:   %.9g\n", expected, actual);
    CU_ASSERT_TRUE(near);
}

static void steps_and_lists_are_due_when_they_come(void)
{
    uint64_t at[] = {7, 3};
    struct job job = new_job();
    struct cadence cadence;
    job.checkpoint.every = 5;
    job.checkpoint.at = at;
    job.checkpoint.at_count = 2;
    cadence_init(&cadence, &job, NULL, 100);
    static const unsigned expected[] = {0, 0, 0, SAVE_AT, 0, SAVE_EVERY, 0, SAVE_AT, 0, 0, SAVE_EVERY};
    for (uint64_t step = 1; step <= 10; step++)
        CU_ASSERT_EQUAL(cadence_due(&cadence, step, 0), expected[step]);
    at[0] = 15;
    CU_ASSERT_EQUAL(cadence_due(&cadence, 15, SAVE_FILE | LEAVE_SIGUSR1), SAVE_EVERY | SAVE_AT | SAVE_FILE);
    job.checkpoint.every = 0;
    CU_ASSERT_EQUAL(cadence_due(&cadence, 20, 0), 0);
    job.checkpoint.every = CHECKPOINT_AUTO;
    CU_ASSERT_EQUAL(cadence_due(&cadence, 20, 0), 0);
    cadence_release(&cadence);
    cadence_release(&cadence);
}

static void minutes_count_from_the_last_save(void)
{
    struct job job = new_job();
    struct cadence cadence;
    job.checkpoint.minutes = 0.5;
    cadence_init(&cadence, &job, &nothing, 100);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 129.9), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 130), SAVE_MINUTES);
    cadence_begin(&cadence, 120); /* whatever it was for */
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 149.9), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 151), SAVE_MINUTES);
    cadence_release(&cadence);
}

static void a_signal_that_spreads_over_two_steps_is_one_wish(void)
{
    struct job job = new_job();
    struct cadence cadence;
    cadence_init(&cadence, &job, NULL, 0);
    CU_ASSERT_EQUAL(cadence_due(&cadence, 1, SAVE_SIGNAL), SAVE_SIGNAL);
    CU_ASSERT_EQUAL(cadence_due(&cadence, 2, SAVE_SIGNAL), 0);
    CU_ASSERT_EQUAL(cadence_due(&cadence, 3, SAVE_SIGNAL), SAVE_SIGNAL);
    CU_ASSERT_EQUAL(cadence_due(&cadence, 9, SAVE_SIGNAL), SAVE_SIGNAL);
    cadence_release(&cadence);
}

static void a_signal_to_go_on_is_told_once_and_one_to_leave_for_ever(void)
{
    preemption_watch();
    CU_ASSERT_EQUAL(preemption_flags(), 0);
    raise(SIGALRM);
    CU_ASSERT_EQUAL(preemption_flags(), SAVE_SIGNAL);
    CU_ASSERT_EQUAL(preemption_flags(), 0);
    raise(SIGALRM);
    raise(SIGUSR2);
    CU_ASSERT_EQUAL(preemption_flags(), SAVE_SIGNAL | LEAVE_SIGUSR2);
    CU_ASSERT_EQUAL(preemption_flags(), LEAVE_SIGUSR2);
    CU_ASSERT_STRING_EQUAL(preemption_reason(SAVE_SIGNAL | LEAVE_SIGUSR2), "SIGUSR2");
    CU_ASSERT_STRING_EQUAL(preemption_reason(LEAVE_SIGUSR1 | LEAVE_SIGUSR2), "SIGUSR2"); /* not the warning */
    CU_ASSERT_EQUAL((unsigned)SAVE_SIGNAL & LEAVE_ALL, 0);
}

static void touch(const char *path, const char *content)
{
    CU_ASSERT_TRUE(file_replace(path, content, strlen(content), &error));
}

static void the_file_is_seen_within_a_second_and_goes_with_the_save(void)
{
    struct job job = new_job();
    struct cadence cadence;
    char run[512], save[600];
    snprintf(run, sizeof run, "%s", test_path("run"));
    snprintf(save, sizeof save, "%s/save", run);
    CU_ASSERT_TRUE(file_make_directories(run, &error));
    job.run = run;
    cadence_init(&cadence, &job, &nothing, 100);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 100), 0);
    touch(save, "");
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 100.9), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 101), SAVE_FILE);
    cadence_begin(&cadence, 101);
    CU_ASSERT_NOT_EQUAL(access(save, F_OK), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 103), 0);
    touch(save, ""); /* any other save will do */
    cadence_begin(&cadence, 103.5);
    CU_ASSERT_NOT_EQUAL(access(save, F_OK), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 105), 0);
    cadence_release(&cadence);
}

static void what_is_no_empty_file_is_left_alone(void)
{
    struct job job = new_job();
    struct cadence cadence;
    char run[512], save[600];
    snprintf(run, sizeof run, "%s", test_path("odd"));
    snprintf(save, sizeof save, "%s/save", run);
    CU_ASSERT_TRUE(file_make_directories(save, &error));
    job.run = run;
    cadence_init(&cadence, &job, &nothing, 100);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 100), 0);
    CU_ASSERT_TRUE(cadence.complained);
    cadence_begin(&cadence, 101);
    CU_ASSERT_EQUAL(access(save, F_OK), 0);
    CU_ASSERT_EQUAL(rmdir(save), 0);
    touch(save, "my data");
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 102), 0);
    cadence_begin(&cadence, 103);
    CU_ASSERT_EQUAL(access(save, F_OK), 0);
    CU_ASSERT_EQUAL(unlink(save), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 104), 0); /* gone: what comes now is a new one */
    touch(save, "");
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 105), SAVE_FILE);
    cadence_release(&cadence);
}

/* The expected periods were found by minimising Daly's complete cost, exp((t + d) / M) - 1 over t, numerically. */
static void the_period_is_where_the_complete_cost_is_least(void)
{
    static const struct {
        double cost, between, period;
    } cases[] = {{0.004, 11880, 9.750182}, {1, 21600, 208.17996}, {30, 3600, 474.97692}, {60, 600, 289.90991}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_near(cadence_young_daly(cases[i].cost, cases[i].between), cases[i].period, 4e-4);
    assert_near(cadence_young_daly(500, 1000), 1198.29, 4e-3);
    assert_near(cadence_young_daly(3000, 1000), 4000, 1e-12); /* hopeless: once in the mean time */
    assert_near(cadence_young_daly(1e-6, 1e6), sqrt(2), 1e-5);
    CU_ASSERT_EQUAL(cadence_young_daly(0, 1000), 0);
}

static void experience_counts_beside_a_prior_of_one_in_six_hours(void)
{
    struct job job = auto_job();
    struct cadence cadence;
    job.checkpoint.overhead = 1;
    cadence_init(&cadence, &job, &nothing, 1000);
    cadence_measured(&cadence, 1, 1);
    assert_near(cadence_period(&cadence, 1000), cadence_young_daly(1, 6 * 3600), 1e-12);
    assert_near(cadence_period(&cadence, 1000 + 3600), cadence_young_daly(1, 7 * 3600), 1e-12);
    cadence_release(&cadence);
    struct cadence_past past = {.alive_s = 2 * 3600, .interruptions = 7};
    cadence_init(&cadence, &job, &past, 1000);
    CU_ASSERT_EQUAL(cadence_period(&cadence, 1000), 0); /* not measured */
    cadence_measured(&cadence, 1, 1);
    assert_near(cadence_period(&cadence, 1000), cadence_young_daly(1, 3600), 1e-12);
    cadence_release(&cadence);
}

static void the_cost_is_the_median_of_the_last_saves(void)
{
    struct job job = auto_job();
    struct cadence cadence;
    struct cadence_past past = {.stall_s = 4, .write_s = 4};
    job.checkpoint.overhead = 1;
    cadence_init(&cadence, &job, &past, 0);
    assert_near(cadence_period(&cadence, 0), cadence_young_daly(4, 21600), 1e-12); /* as it was before the kill */
    cadence_measured(&cadence, 1, 1);
    assert_near(cadence_period(&cadence, 0), cadence_young_daly(1, 21600), 1e-12);
    cadence_measured(&cadence, 3, 1);
    assert_near(cadence_period(&cadence, 0), cadence_young_daly(2, 21600), 1e-12);
    cadence_measured(&cadence, 900, 1);
    assert_near(cadence_period(&cadence, 0), cadence_young_daly(3, 21600), 1e-12);
    for (size_t i = 0; i < CADENCE_SAMPLES; i++)
        cadence_measured(&cadence, 2, 1);
    assert_near(cadence_period(&cadence, 0), cadence_young_daly(2, 21600), 1e-12);
    cadence_release(&cadence);
}

static void the_overhead_and_the_write_bound_the_period(void)
{
    struct job job = auto_job();
    struct cadence cadence;
    struct cadence_past often = {.alive_s = 0, .interruptions = 999};
    cadence_init(&cadence, &job, &often, 0);
    cadence_measured(&cadence, 2, 2);
    assert_near(cadence_period(&cadence, 0), 200, 1e-12); /* 1 %, though Young and Daly want less */
    job.checkpoint.overhead = 0.1;
    assert_near(cadence_period(&cadence, 0), fmax(20, cadence_young_daly(2, 21.6)), 1e-12);
    cadence_release(&cadence);
    cadence_init(&cadence, &job, &often, 0);
    cadence_measured(&cadence, 0, 400); /* written beside training, for a long time */
    assert_near(cadence_period(&cadence, 0), 400, 1e-12);
    cadence_release(&cadence);
}

static void auto_begins_early_to_know_the_cost(void)
{
    struct job job = auto_job();
    struct cadence cadence;
    cadence_init(&cadence, &job, &nothing, 0);
    for (int step = 1; step < 10; step++)
        CU_ASSERT_EQUAL(cadence_flags(&cadence, 100 + step), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 110), SAVE_AUTO);
    cadence_begin(&cadence, 110);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 111), 0); /* failed, or still on its way */
    cadence_measured(&cadence, 0.01, 0.01);
    double period = cadence_period(&cadence, 120);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 110 + 0.99 * period), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 110 + 1.01 * period), SAVE_AUTO);
    cadence_release(&cadence);
    cadence_init(&cadence, &job, &nothing, 0);
    for (int step = 1; step < 100; step++)
        CU_ASSERT_EQUAL(cadence_flags(&cadence, 9.9), 0);
    CU_ASSERT_EQUAL(cadence_flags(&cadence, 10), SAVE_AUTO);
    cadence_release(&cadence);
}

static void a_new_period_is_told_when_it_is_another_one(void)
{
    struct job job = auto_job();
    struct cadence cadence;
    struct cadence_past past = {.alive_s = 7.2 * 3600, .interruptions = 3, .restart_s = 1.1};
    struct text words;
    text_init(&words);
    cadence_init(&cadence, &job, &past, 0);
    CU_ASSERT_FALSE(cadence_tell(&cadence, 0, &words));
    cadence_measured(&cadence, 0.4, 0.4);
    CU_ASSERT_TRUE(cadence_tell(&cadence, 0, &words));
    /* 40 s by the cap; M = 13.2 h / 4; 0.4 / 97.5 + (97.5 / 2 + 1.1) / 11880 */
    CU_ASSERT_STRING_EQUAL(
        text_bytes(&words),
        "auto: a save costs 400 ms of training and takes 400 ms, 3 interruptions in 7.2 h, a restart "
        "takes 1.1 s: saving every 98 s (expected loss 0.83 %)");
    CU_ASSERT_FALSE(cadence_tell(&cadence, 60, &words));
    cadence_measured(&cadence, 0.5, 0.5); /* median 0.45: 6 % more */
    CU_ASSERT_FALSE(cadence_tell(&cadence, 60, &words));
    cadence_measured(&cadence, 2, 2);
    cadence_measured(&cadence, 2, 2);
    CU_ASSERT_TRUE(cadence_tell(&cadence, 60, &words));
    job.checkpoint.every = 10;
    cadence.told_s = 0;
    CU_ASSERT_FALSE(cadence_tell(&cadence, 60, &words));
    cadence_release(&cadence);
    text_release(&words);
}

static void reasons_are_words(void)
{
    struct text words;
    text_init(&words);
    cadence_words(SAVE_EVERY | SAVE_VALIDATION | SAVE_SIGNAL, &words);
    CU_ASSERT_STRING_EQUAL(text_bytes(&words), "signal+every+validation");
    text_release(&words);
}

int main(void)
{
    const struct test_case cases[] = {
        {"steps and lists are due when they come", steps_and_lists_are_due_when_they_come},
        {"minutes count from the last save", minutes_count_from_the_last_save},
        {"a signal that spreads over two steps is one wish", a_signal_that_spreads_over_two_steps_is_one_wish},
        {"a signal to go on is told once, and one to leave for ever",
         a_signal_to_go_on_is_told_once_and_one_to_leave_for_ever},
        {"the file is seen within a second and goes with the save",
         the_file_is_seen_within_a_second_and_goes_with_the_save},
        {"what is no empty file is left alone", what_is_no_empty_file_is_left_alone},
        {"the period is where the complete cost is least", the_period_is_where_the_complete_cost_is_least},
        {"experience counts beside a prior of one in six hours", experience_counts_beside_a_prior_of_one_in_six_hours},
        {"the cost is the median of the last saves", the_cost_is_the_median_of_the_last_saves},
        {"the overhead and the write bound the period", the_overhead_and_the_write_bound_the_period},
        {"auto begins early, to know the cost", auto_begins_early_to_know_the_cost},
        {"a new period is told when it is another one", a_new_period_is_told_when_it_is_another_one},
        {"reasons are words", reasons_are_words},
        {0},
    };
    return test_run("policy/cadence", cases);
}
