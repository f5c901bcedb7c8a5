/* Whether there is sense in another launch, and the words if there is none. */
#include "launch/sense.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Killed at this step, in the batch job `job` after so many requeues. */
static struct life killed(uint64_t step, const char *job, uint64_t restart)
{
    struct life life = {.step = step, .restart = restart, .interrupted = true, .reason = REASON_KILLED};
    snprintf(life.job, sizeof life.job, "%s", job);
    snprintf(life.end, sizeof life.end, "killed");
    return life;
}

static struct run_state run_of(struct life *lives, size_t count, uint64_t saved)
{
    return (struct run_state){.lives = {.items = lives, .count = count}, .has_saved = saved > 0, .saved = saved};
}

static bool has(const struct error *error, const char *words)
{
    return strstr(error->text, words) != NULL;
}

static void only_lives_since_the_supervisor_has_begun_count(void)
{
    struct life lives[] = {killed(20, "", 0), killed(20, "", 0), killed(20, "", 0), killed(20, "", 0)};
    struct run_state run = run_of(lives, 2, 20);
    struct supervision supervision = {0};
    struct sense sense;
    struct error error = {0};
    sense_init(&sense, &supervision, &run, false, 2);
    CU_ASSERT_EQUAL(sense_futile(&sense), 0);
    run.lives.count = 3;
    CU_ASSERT_TRUE(sense_goes_on(&sense, &error));
    run.lives.count = 4;
    CU_ASSERT_FALSE(sense_goes_on(&sense, &error));
    CU_ASSERT_TRUE(has(&error, "2 launches in a row without a newer checkpoint (--restarts), the last: killed. If it"));
    run.saved = 30;
    CU_ASSERT_TRUE(sense_goes_on(&sense, &error));
}

static void a_requeued_job_counts_its_lives_before(void)
{
    struct life lives[] = {killed(20, "13", 0), killed(20, "14", 0), killed(20, "14", 1), killed(20, "14", 1)};
    struct run_state run = run_of(lives, 3, 20);
    struct supervision supervision = {0};
    struct sense sense;
    struct error error = {0};
    sense_init(&sense, &supervision, &run, true, 3);
    CU_ASSERT_EQUAL(sense.first, 1);
    CU_ASSERT_TRUE(sense_is_ours(&sense));
    run.lives.count = 4;
    CU_ASSERT_TRUE(sense_goes_on(&sense, &error)); /* the first of the three was killed by the requeue */
    CU_ASSERT_FALSE(sense_comes_back(&sense, false, &error));
    CU_ASSERT_TRUE(has(&error, "3 launches in a row"));
    CU_ASSERT_TRUE(sense_comes_back(&sense, true, &error)); /* it is not to blame */
}

static void a_launch_that_has_not_begun_is_given_up_with_what_it_has_told(void)
{
    struct run_state run = run_of(NULL, 0, 0);
    struct supervision supervision = {.not_begun = 3, .excused = 1};
    struct sense sense;
    struct error error = {0};
    sense_init(&sense, &supervision, &run, false, 3);
    CU_ASSERT_TRUE(sense_goes_on(&sense, &error));
    supervision.excused = 0;
    CU_ASSERT_FALSE(sense_goes_on(&sense, &error));
    CU_ASSERT_TRUE(has(&error, "3 launches in a row"));
    CU_ASSERT_TRUE(has(&error, "the job has not begun. What its launcher says stands above"));
    sense_hear(&sense, &(struct error){ERROR_IO, "no disk"});
    CU_ASSERT_FALSE(sense_goes_on(&sense, &error));
    CU_ASSERT_TRUE(has(&error, "the job has not begun: no disk"));
    sense_hear(&sense, NULL);
    CU_ASSERT_FALSE(sense_goes_on(&sense, &error));
    CU_ASSERT_TRUE(has(&error, "What its launcher says stands above"));
}

static void the_same_failure_twice_is_given_up(void)
{
    struct life lives[] = {killed(20, "", 0), killed(20, "", 0)};
    struct run_state run = run_of(lives, 0, 20);
    struct supervision supervision = {0};
    struct sense sense;
    struct error error = {0};
    for (int i = 0; i < 2; i++) {
        lives[i].reason = REASON_FAILED;
        lives[i].ended = true;
        snprintf(lives[i].end, sizeof lives[i].end, "failed: NaN");
    }
    sense_init(&sense, &supervision, &run, false, 5);
    run.lives.count = 2;
    CU_ASSERT_FALSE(sense_goes_on(&sense, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "the same failure twice, and no newer checkpoint: failed: NaN");
}

static void a_job_that_is_requeued_in_vain_does_not_come_back(void)
{
    struct life lives[] = {killed(20, "14", 0)};
    struct run_state run = run_of(lives, 1, 30);
    struct supervision supervision = {.not_begun = 1};
    struct sense sense;
    struct error error = {0};
    sense_init(&sense, &supervision, &run, true, 2); /* requeued once, by the environment */
    CU_ASSERT_TRUE(sense_begins(&sense, &error));
    sense.restarts = 1;
    CU_ASSERT_FALSE(sense_begins(&sense, &error));
    CU_ASSERT_TRUE(has(&error, "requeued 1 times (--restarts), and the job has never begun its work"));
    lives[0].restart = 1; /* it has begun since */
    CU_ASSERT_TRUE(sense_begins(&sense, &error));
    lives[0] = killed(20, "13", 1); /* that was another job */
    CU_ASSERT_FALSE(sense_begins(&sense, &error));
    supervision.not_begun = 0;
    CU_ASSERT_TRUE(sense_begins(&sense, &error));
}

static void a_request_was_good_if_it_has_led_to_a_life_or_a_requeue(void)
{
    struct life lives[] = {killed(20, "", 0), killed(20, "", 0)};
    struct run_state run = run_of(lives, 1, 20);
    struct supervision supervision = {0};
    struct sense sense;
    sense_init(&sense, &supervision, &run, false, 2);
    CU_ASSERT_FALSE(sense_was_good(&sense, 1));
    CU_ASSERT_TRUE(sense_was_good(&sense, 2));
    supervision.worked = supervision.launches = 1; /* it was seen with the lock, and then refused */
    CU_ASSERT_FALSE(sense_was_good(&sense, 1));
    supervision.launches = 2;
    CU_ASSERT_TRUE(sense_was_good(&sense, 1));
    supervision.worked = 0;
    sense_init(&sense, &supervision, &run, true, 2);
    CU_ASSERT_TRUE(sense_was_good(&sense, 0));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"only lives since the supervisor has begun count", only_lives_since_the_supervisor_has_begun_count},
        {"a requeued job counts its lives before", a_requeued_job_counts_its_lives_before},
        {"a launch that has not begun is given up with what it has told",
         a_launch_that_has_not_begun_is_given_up_with_what_it_has_told},
        {"the same failure twice is given up", the_same_failure_twice_is_given_up},
        {"a job that is requeued in vain does not come back", a_job_that_is_requeued_in_vain_does_not_come_back},
        {"a request was good if it has led to a life or a requeue",
         a_request_was_good_if_it_has_led_to_a_life_or_a_requeue},
        {0},
    };
    setenv("SLURM_JOB_ID", "14", 1);
    setenv("SLURM_RESTART_COUNT", "1", 1);
    return test_run("launch/sense", cases);
}
