/* Which steps are skipped, and when that stops a job. */
#include "base/memory.h"
#include "policy/guard.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static struct error why;

static struct job job_with(bool nonfinite, double outlier, uint64_t window, uint64_t limit)
{
    struct job job = {0};
    job.skip.nonfinite = nonfinite;
    job.skip.outlier = outlier;
    job.skip.window = window;
    job.skip.limit = limit;
    return job;
}

/* Ten steps whose loss and norm are 1 and 2, give or take 0.1: mean and deviation are known. */
static void ten_steps(const struct job *job, struct history *history)
{
    for (uint64_t step = 1; step <= 10; step++) {
        double wobble = step % 2 ? 0.1 : -0.1;
        CU_ASSERT_EQUAL(guard_judge(job, history, step, 1 + wobble, 2 + wobble, &why), GUARD_TAKE);
    }
}

static void a_number_that_is_not_finite_stops_the_job(void)
{
    struct job job = job_with(false, 0, 8, 3);
    struct history history = {0};
    guard_prepare(&job, &history);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 7, 1, 1, &why), GUARD_TAKE);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 8, (double)NAN, 1, &why), GUARD_STOP);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "step 8: the loss is nan"));
    CU_ASSERT_EQUAL(why.kind, ERROR_STATE);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 8, 1, (double)INFINITY, &why), GUARD_STOP);
    CU_ASSERT_EQUAL(history.updates, 1);
    memory_free(history.window);
}

/* No learning rate has had a part in it. */
static void before_the_first_update_it_is_not_the_learning_rate(void)
{
    struct job job = job_with(false, 0, 8, 3);
    struct history history = {0};
    guard_prepare(&job, &history);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 1, (double)INFINITY, 1, &why), GUARD_STOP);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "mean and std of data.train"));
    CU_ASSERT_PTR_NULL(strstr(why.text, "learning_rate"));
    memory_free(history.window);
}

static void it_is_skipped_if_the_job_says_so_but_not_for_ever(void)
{
    struct job job = job_with(true, 0, 8, 3);
    struct history history = {0};
    guard_prepare(&job, &history);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 1, 1, (double)NAN, &why), GUARD_SKIP);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 2, 1, (double)NAN, &why), GUARD_SKIP);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 3, 1, 1, &why), GUARD_TAKE); /* a taken one begins anew */
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 4, (double)NAN, 1, &why), GUARD_SKIP);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 5, (double)NAN, 1, &why), GUARD_SKIP);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 6, (double)NAN, 1, &why), GUARD_STOP);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "3 steps in a row were no good"));
    CU_ASSERT_EQUAL(history.updates, 1);
    memory_free(history.window);
}

static void an_outlier_is_known_by_its_z_score(void)
{
    struct job job = job_with(false, 5, 20, 3);
    struct history history = {0};
    guard_prepare(&job, &history);
    ten_steps(&job, &history); /* deviation 0.1 */
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 11, 1.51, 2, &why), GUARD_SKIP);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 12, 1, 2.51, &why), GUARD_SKIP);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "5.1 standard deviations above the last 10 steps"));
    CU_ASSERT_EQUAL(history.window_count, 10); /* skipped ones are no measure */
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 13, 1.49, 2.49, &why), GUARD_TAKE);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 14, 0, 0, &why), GUARD_TAKE); /* far below is welcome */
    memory_free(history.window);
}

static void half_a_window_has_to_be_there_first(void)
{
    struct job job = job_with(false, 5, 22, 3);
    struct history history = {0};
    guard_prepare(&job, &history);
    ten_steps(&job, &history);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 11, 100, 2, &why), GUARD_TAKE);
    CU_ASSERT_EQUAL(guard_judge(&job, &history, 12, 10000, 2, &why), GUARD_SKIP);
    memory_free(history.window);
}

static void the_window_slides_and_survives(void)
{
    struct job job = job_with(false, 5, 8, 3);
    struct history history = {0};
    guard_prepare(&job, &history);
    ten_steps(&job, &history);
    CU_ASSERT_EQUAL(history.window_count, 8);
    guard_judge(&job, &history, 11, 1.05, 2.05, &why);
    CU_ASSERT_EQUAL(history.window[7].loss, 1.05);
    /* As a resume with a shorter window would find it: the newest stay. */
    job.skip.window = 3;
    guard_prepare(&job, &history);
    CU_ASSERT_EQUAL(history.window_count, 3);
    CU_ASSERT_EQUAL(history.window[2].loss, 1.05);
    memory_free(history.window);
}

int main(void)
{
    const struct test_case cases[] = {
        {"a number that is not finite stops the job", a_number_that_is_not_finite_stops_the_job},
        {"before the first update it is not the learning rate", before_the_first_update_it_is_not_the_learning_rate},
        {"it is skipped if the job says so, but not for ever", it_is_skipped_if_the_job_says_so_but_not_for_ever},
        {"an outlier is known by its z-score", an_outlier_is_known_by_its_z_score},
        {"half a window has to be there first", half_a_window_has_to_be_there_first},
        {"the window slides, and survives a resume", the_window_slides_and_survives},
        {0},
    };
    return test_run("policy/guard", cases);
}
