/* The best validation, and early stopping. */
#include "support/test.h"
#include "train/best.h"

#include <math.h>

static const struct dataset digits = {.count = 10, .digest = 5}, others = {.count = 10, .digest = 6}, none = {0};

static struct job job_of(enum metric_kind metric)
{
    struct job job = {0};
    job.validate.metric = metric;
    return job;
}

static bool loss(const struct job *job, struct history *history, double value, uint64_t step)
{
    return best_consider(job, history, &(struct evaluation){.loss = value, .accuracy = (double)NAN}, step);
}

static void the_best_is_the_best_by_the_metric(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    best_prepare(&job, &digits, &history);
    CU_ASSERT_TRUE(loss(&job, &history, 2, 10));
    CU_ASSERT_FALSE(loss(&job, &history, 2, 20)); /* equal is not better */
    CU_ASSERT_TRUE(loss(&job, &history, 1, 30));
    CU_ASSERT_FALSE(loss(&job, &history, (double)NAN, 40));
    CU_ASSERT_EQUAL(history.best_step, 30);
    CU_ASSERT_EQUAL(history.best, 1);

    struct job other = job_of(METRIC_ACCURACY);
    best_prepare(&other, &digits, &history);
    CU_ASSERT_EQUAL(history.best_step, 0);
    CU_ASSERT_TRUE(best_consider(&other, &history, &(struct evaluation){.loss = 1, .accuracy = 0.4}, 50));
    CU_ASSERT_TRUE(best_consider(&other, &history, &(struct evaluation){.loss = 2, .accuracy = 0.5}, 60));
    CU_ASSERT_FALSE(best_consider(&other, &history, &(struct evaluation){.loss = 0, .accuracy = 0.45}, 70));
    CU_ASSERT_EQUAL(history.best_step, 60);
}

static void another_yardstick_begins_anew(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    best_prepare(&job, &digits, &history);
    loss(&job, &history, 1, 10);
    loss(&job, &history, 2, 20);
    best_prepare(&job, &digits, &history); /* the same: a plain resume */
    CU_ASSERT_EQUAL(history.best_step, 10);
    CU_ASSERT_EQUAL(history.stale, 1);
    best_prepare(&job, &others, &history);
    CU_ASSERT_EQUAL(history.best_step, 0);
    CU_ASSERT_EQUAL(history.stale, 0);
    CU_ASSERT_TRUE(loss(&job, &history, 3, 30));
    job.validate.ema = true;
    best_prepare(&job, &others, &history);
    CU_ASSERT_EQUAL(history.best_step, 0);
    loss(&job, &history, 3, 40);
    best_prepare(&job, &none, &history);
    CU_ASSERT_EQUAL(history.best_step, 0);
}

static void patience_wants_more_than_the_best_does(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    job.early_stopping.patience = 2;
    job.early_stopping.min_delta = 0.1;
    best_prepare(&job, &digits, &history);
    CU_ASSERT_TRUE(best_is_kept(&job));
    CU_ASSERT_TRUE(loss(&job, &history, 1, 1));
    CU_ASSERT_TRUE(loss(&job, &history, 0.95, 2)); /* the best, but not by enough */
    CU_ASSERT_EQUAL(history.stale, 1);
    CU_ASSERT_FALSE(best_is_late(&job, &history));
    CU_ASSERT_TRUE(loss(&job, &history, 0.89, 3)); /* by enough, counted from 1 */
    CU_ASSERT_EQUAL(history.stale, 0);
    loss(&job, &history, 0.85, 4);
    CU_ASSERT_FALSE(best_is_late(&job, &history));
    loss(&job, &history, (double)NAN, 5);
    CU_ASSERT_TRUE(best_is_late(&job, &history));
    job.early_stopping.patience = 3; /* as a resume may change it */
    CU_ASSERT_FALSE(best_is_late(&job, &history));
}

static void a_best_without_a_file_is_forgotten(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    best_prepare(&job, &digits, &history);
    loss(&job, &history, 1, 1);
    best_forget(&history);
    CU_ASSERT_TRUE(loss(&job, &history, 2, 2)); /* worse, but the best that there is */
    CU_ASSERT_EQUAL(history.stale, 1);          /* which does not count as progress */
}

int main(void)
{
    const struct test_case cases[] = {
        {"the best is the best by the metric", the_best_is_the_best_by_the_metric},
        {"another yardstick begins anew", another_yardstick_begins_anew},
        {"patience wants more than the best does", patience_wants_more_than_the_best_does},
        {"a best without a file is forgotten", a_best_without_a_file_is_forgotten},
        {0},
    };
    return test_run("train/best", cases);
}
