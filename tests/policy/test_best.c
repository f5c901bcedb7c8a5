/* The best validation, and early stopping. */
#include "base/file.h"
#include "policy/best.h"
#include "support/test.h"

#include <math.h>

static const struct dataset digits = {.count = 10, .digest = 5}, others = {.count = 10, .digest = 6}, none = {0};

static struct job job_of(enum metric_kind metric)
{
    struct job job = {0};
    job.validate.metric = metric;
    job.validate.every = 1;
    return job;
}

/* The rank of a validation with this loss. */
static size_t loss(const struct job *job, struct history *history, double value, uint64_t step)
{
    return best_consider(job, history, &(struct evaluation){.values = {[METRIC_LOSS] = value}}, step);
}

static void assert_best(const struct history *history, size_t count, const uint64_t *steps)
{
    CU_ASSERT_EQUAL(history->best_count, count);
    for (size_t i = 0; i < count && i < history->best_count; i++)
        CU_ASSERT_EQUAL(history->best[i].step, steps[i]);
}

static void the_best_is_the_best_by_the_metric(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(loss(&job, &history, 2, 10), 1);
    CU_ASSERT_EQUAL(loss(&job, &history, 2, 20), 0); /* equal is not better */
    CU_ASSERT_EQUAL(loss(&job, &history, 1, 30), 1);
    CU_ASSERT_EQUAL(loss(&job, &history, (double)NAN, 40), 0);
    CU_ASSERT_EQUAL(history.best[0].step, 30);
    CU_ASSERT_EQUAL(history.best[0].value, 1);

    struct job other = job_of(METRIC_ACCURACY);
    best_prepare(&other, &digits, &history);
    CU_ASSERT_EQUAL(history.best_count, 0);
    CU_ASSERT_EQUAL(best_consider(&other, &history,
                                  &(struct evaluation){.values = {[METRIC_LOSS] = 1, [METRIC_ACCURACY] = 0.4}}, 50),
                    1);
    CU_ASSERT_EQUAL(best_consider(&other, &history,
                                  &(struct evaluation){.values = {[METRIC_LOSS] = 2, [METRIC_ACCURACY] = 0.5}}, 60),
                    1);
    CU_ASSERT_EQUAL(best_consider(&other, &history,
                                  &(struct evaluation){.values = {[METRIC_LOSS] = 0, [METRIC_ACCURACY] = 0.45}}, 70),
                    0);
    CU_ASSERT_EQUAL(history.best[0].step, 60);
}

static void the_mode_turns_the_order_round(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    best_prepare(&job, &digits, &history);
    loss(&job, &history, 2, 10);
    job.validate.mode = MODE_MIN; /* what it is by nature */
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(history.best_count, 1);
    job.validate.mode = MODE_MAX;
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(history.best_count, 0);
    CU_ASSERT_EQUAL(loss(&job, &history, 2, 10), 1);
    CU_ASSERT_EQUAL(loss(&job, &history, 1, 20), 0);
    CU_ASSERT_EQUAL(loss(&job, &history, 3, 30), 1);
    CU_ASSERT_EQUAL(history.stale, 0);
}

static void the_best_k_are_in_order(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    job.checkpoint.best = 3;
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(loss(&job, &history, 5, 10), 1);
    CU_ASSERT_EQUAL(loss(&job, &history, 7, 20), 2);
    CU_ASSERT_EQUAL(loss(&job, &history, 6, 30), 2);
    CU_ASSERT_EQUAL(loss(&job, &history, 7, 40), 0);
    CU_ASSERT_EQUAL(loss(&job, &history, 6, 50), 3); /* of equal ones the earlier is better */
    struct retention retention;
    best_retain(&job, &history, &retention);
    CU_ASSERT_EQUAL(retention.best_count, 3);
    CU_ASSERT(retention.best[0] == 10 && retention.best[1] == 30 && retention.best[2] == 50);
    best_settle(&history, &retention);
    assert_best(&history, 3, (const uint64_t[]){10, 30, 50});
    history.skipped_row = 1;
    job.checkpoint.keep = 4;
    best_retain(&job, &history, &retention);
    CU_ASSERT_EQUAL(retention.newest, SIZE_MAX);
}

static void what_was_pushed_out_comes_back_if_the_save_fails(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    struct retention first, second;
    job.checkpoint.best = 2;
    best_prepare(&job, &digits, &history);
    loss(&job, &history, 5, 10);
    loss(&job, &history, 4, 20);
    best_retain(&job, &history, &first);
    best_settle(&history, &first);
    CU_ASSERT_EQUAL(loss(&job, &history, 3, 30), 1);
    best_forget(&history, 30);
    assert_best(&history, 2, (const uint64_t[]){20, 10});
    /* Two validations before the first of two commits is known. */
    CU_ASSERT_EQUAL(loss(&job, &history, 3, 40), 1);
    best_retain(&job, &history, &first); /* 40, 20 */
    CU_ASSERT_EQUAL(loss(&job, &history, 2, 50), 1);
    best_retain(&job, &history, &second); /* 50, 40 */
    best_settle(&history, &first);
    assert_best(&history, 3, (const uint64_t[]){50, 40, 20}); /* 10 has no file any more, 20 has */
    best_forget(&history, 50);
    assert_best(&history, 2, (const uint64_t[]){40, 20});
    CU_ASSERT_EQUAL(loss(&job, &history, 4.5, 60), 0);
}

static void the_list_has_an_end(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    job.checkpoint.best = HISTORY_BEST;
    best_prepare(&job, &digits, &history);
    for (uint64_t step = 1; step <= 3 * HISTORY_BEST; step++)
        CU_ASSERT_EQUAL(loss(&job, &history, -(double)step, step), 1);
    CU_ASSERT_EQUAL(history.best_count, HISTORY_BEST + HISTORY_SPARE);
    CU_ASSERT_EQUAL(history.best[0].step, 3 * HISTORY_BEST);
    CU_ASSERT_EQUAL(history.best[HISTORY_BEST].step, 2 * HISTORY_BEST);
}

static void the_number_of_best_ones_may_change(void)
{
    bool found[HISTORY_BEST + HISTORY_SPARE];
    struct store store;
    struct error error;
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    CU_ASSERT_TRUE(store_init(&store, test_path("run"), 1, &error));
    CU_ASSERT_TRUE(file_make_directories(store.directory, &error));
    job.checkpoint.best = 4;
    best_prepare(&job, &digits, &history);
    for (uint64_t step = 1; step <= 4; step++) {
        char path[PATH_MAX];
        loss(&job, &history, (double)step, step);
        store_path(&store, step, path);
        if (step != 2)
            CU_ASSERT_TRUE(file_replace(path, "x", 1, &error));
    }
    job.checkpoint.best = 2;
    best_prepare(&job, &digits, &history);
    best_find(&store, &history, found);
    best_look(&job, found, &history);
    assert_best(&history, 2, (const uint64_t[]){1, 3}); /* 2 has no file */
    job.checkpoint.best = 0;
    best_prepare(&job, &digits, &history);
    best_find(&store, &history, found);
    best_look(&job, found, &history);
    assert_best(&history, 1, (const uint64_t[]){1}); /* still told, but not kept */
    struct retention retention;
    best_retain(&job, &history, &retention);
    CU_ASSERT_EQUAL(retention.best_count, 0);
    job.checkpoint.best = 3;
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(loss(&job, &history, 9, 10), 2);
}

/* That of a job's last step, which a longer job has not. */
static void what_is_not_regular_can_be_the_best_and_is_nothing_to_patience(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    job.validate.every = 10;
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(loss(&job, &history, 5, 10), 1);
    CU_ASSERT_EQUAL(loss(&job, &history, 6, 20), 0);
    CU_ASSERT_EQUAL(loss(&job, &history, 4, 25), 1);
    CU_ASSERT(history.validated_step == 25 && history.best[0].step == 25);
    CU_ASSERT(history.reference == 5 && history.stale == 1);
    CU_ASSERT_EQUAL(loss(&job, &history, 4.5, 30), 0);
    CU_ASSERT(history.reference == 4.5 && history.stale == 0);
}

static void each_metric_has_its_better_side(void)
{
    static const bool is_less_better[METRIC_KINDS] = {
        [METRIC_LOSS] = true, [METRIC_MAE] = true, [METRIC_RMSE] = true, [METRIC_PERPLEXITY] = true};
    for (enum metric_kind metric = METRIC_LOSS; metric < METRIC_KINDS; metric++) {
        struct job job = job_of(metric);
        struct history history = {0};
        best_prepare(&job, &digits, &history);
        for (uint64_t step = 1; step <= 3; step++) {
            struct evaluation evaluation = {.values = {0}};
            evaluation.values[metric] = (double)step;
            best_consider(&job, &history, &evaluation, step);
        }
        CU_ASSERT_EQUAL(history.best[0].step, is_less_better[metric] ? 1 : 3);
        CU_ASSERT_EQUAL(history.metric, (uint64_t)metric);
    }
}

/* Jobs of before there were more metrics go on with what they have found. */
static void the_yardsticks_of_old_runs_are_what_they_were(void)
{
    static const struct {
        enum metric_kind metric;
        enum metric_mode mode;
        uint64_t yardstick;
    } cases[] = {{METRIC_LOSS, MODE_AUTO, UINT64_C(0x0c7e575b47855376)},
                 {METRIC_LOSS, MODE_MAX, UINT64_C(0xcb8b527a9b6103be)},
                 {METRIC_ACCURACY, MODE_AUTO, UINT64_C(0x2b33225e89cb29f3)},
                 {METRIC_ACCURACY, MODE_MIN, UINT64_C(0x086e274a9b3abdc9)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job job = job_of(cases[i].metric);
        struct history history = {0};
        job.validate.mode = cases[i].mode;
        best_prepare(&job, &digits, &history);
        CU_ASSERT_EQUAL(history.yardstick, cases[i].yardstick);
    }
}

static void one_is_kept_if_nobody_says_how_many(void)
{
    static const struct dataset_class format;
    struct job job = job_of(METRIC_LOSS);
    job.checkpoint.best = CHECKPOINT_BEST_AUTO;
    job.validate.every = 10;
    CU_ASSERT_EQUAL(best_kept(&job), 0);
    job.data.validation.class = &format;
    CU_ASSERT_EQUAL(best_kept(&job), 1);
    job.validate.every = 0;
    CU_ASSERT_EQUAL(best_kept(&job), 0);
    job.validate.every = 10;
    job.checkpoint.best = 0;
    CU_ASSERT_EQUAL(best_kept(&job), 0);
    job.early_stopping.patience = 5;
    CU_ASSERT_EQUAL(best_kept(&job), 1);
}

static void another_yardstick_begins_anew(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    best_prepare(&job, &digits, &history);
    loss(&job, &history, 1, 10);
    loss(&job, &history, 2, 20);
    best_prepare(&job, &digits, &history); /* the same: a plain resume */
    CU_ASSERT_EQUAL(history.best[0].step, 10);
    CU_ASSERT_EQUAL(history.stale, 1);
    best_prepare(&job, &others, &history);
    CU_ASSERT_EQUAL(history.best_count, 0);
    CU_ASSERT_EQUAL(history.stale, 0);
    CU_ASSERT_TRUE(1 == loss(&job, &history, 3, 30));
    job.validate.ema = true;
    best_prepare(&job, &others, &history);
    CU_ASSERT_EQUAL(history.best_count, 0);
    loss(&job, &history, 3, 40);
    best_prepare(&job, &none, &history);
    CU_ASSERT_EQUAL(history.best_count, 0);
}

static void patience_wants_more_than_the_best_does(void)
{
    struct job job = job_of(METRIC_LOSS);
    struct history history = {0};
    job.early_stopping.patience = 2;
    job.early_stopping.min_delta = 0.1;
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(best_kept(&job), 1);
    CU_ASSERT_TRUE(1 == loss(&job, &history, 1, 1));
    CU_ASSERT_TRUE(1 == loss(&job, &history, 0.95, 2)); /* the best, but not by enough */
    CU_ASSERT_EQUAL(history.stale, 1);
    CU_ASSERT_FALSE(best_is_late(&job, &history));
    CU_ASSERT_TRUE(1 == loss(&job, &history, 0.89, 3)); /* by enough, counted from 1 */
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
    best_forget(&history, 1);
    CU_ASSERT_TRUE(1 == loss(&job, &history, 2, 2)); /* worse, but the best that there is */
    CU_ASSERT_EQUAL(history.stale, 1);               /* which does not count as progress */
}

int main(void)
{
    const struct test_case cases[] = {
        {"the best is the best by the metric", the_best_is_the_best_by_the_metric},
        {"the mode turns the order round", the_mode_turns_the_order_round},
        {"the best k are in order", the_best_k_are_in_order},
        {"what was pushed out comes back if the save fails", what_was_pushed_out_comes_back_if_the_save_fails},
        {"the list has an end", the_list_has_an_end},
        {"the number of best ones may change", the_number_of_best_ones_may_change},
        {"each metric has its better side", each_metric_has_its_better_side},
        {"the yardsticks of old runs are what they were", the_yardsticks_of_old_runs_are_what_they_were},
        {"one is kept if nobody says how many", one_is_kept_if_nobody_says_how_many},
        {"another yardstick begins anew", another_yardstick_begins_anew},
        {"what is not regular can be the best, and is nothing to patience",
         what_is_not_regular_can_be_the_best_and_is_nothing_to_patience},
        {"patience wants more than the best does", patience_wants_more_than_the_best_does},
        {"a best without a file is forgotten", a_best_without_a_file_is_forgotten},
        {0},
    };
    return test_run("policy/best", cases);
}
