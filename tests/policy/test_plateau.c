/* When the rate falls on a plateau. */
#include "policy/plateau.h"

#include "policy/best.h"
#include "support/test.h"

#include <math.h>

static const struct dataset digits = {.count = 10, .digest = 5}, others = {.count = 10, .digest = 6};

static struct job job_of(struct plateau_settings *settings, enum metric_kind metric, double floor)
{
    struct job job = {.schedule = {.class = &schedule_plateau, .settings = settings, .floor = floor}};
    job.validate.metric = metric;
    job.validate.every = 1;
    return job;
}

static double factor_after(const struct job *job, struct history *history, double value, uint64_t step)
{
    struct evaluation evaluation = {.values = {[METRIC_LOSS] = value, [METRIC_ACCURACY] = value, [METRIC_R2] = value}};
    plateau_consider(job, history, &evaluation, step);
    return plateau_factor(job, history);
}

static void check_falls(const struct job *job, size_t count, const double *values, const double *factors)
{
    struct history history = {0};
    CU_ASSERT_EQUAL(plateau_factor(job, &history), 1);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_DOUBLE_EQUAL(factor_after(job, &history, values[i], i + 1), factors[i], 1e-15);
}

/* Numbers of torch.optim.lr_scheduler.ReduceLROnPlateau, PyTorch 1.13: lr after step(value), from 1. */
static void it_falls_when_that_of_pytorch_falls(void)
{
    static const double losses[] = {1,   0.9, 0.95, 0.9, 0.8999, 0.5, (double)NAN, 0.6,
                                    0.6, 0.6, 0.6,  0.6, 0.4,    0.5, 0.5,         0.5};
    static const double rates[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.1, 0.1, 0.1, 0.1, 0.1};
    static const double accuracies[] = {0.5, 0.6, 0.6005, 0.6, 0.7, 0.7, 0.7, 0.7};
    static const double rates_by_accuracy[] = {1, 1, 1, 1, 1, 1, 1, 0.1};
    struct plateau_settings hasty = {.factor = 0.5, .patience = 1, .threshold = 1e-3};
    struct plateau_settings patient = {.factor = 0.1, .patience = 2, .threshold = 1e-2};
    struct job job = job_of(&hasty, METRIC_LOSS, 0.1), other = job_of(&patient, METRIC_ACCURACY, 0);
    check_falls(&job, sizeof losses / sizeof *losses, losses, rates);
    check_falls(&other, sizeof accuracies / sizeof *accuracies, accuracies, rates_by_accuracy);
}

/* That of a job's last step, which a longer job has not. */
static void what_is_not_regular_is_not_seen(void)
{
    struct plateau_settings settings = {.factor = 0.5, .patience = 0, .threshold = 1e-3};
    struct job job = job_of(&settings, METRIC_LOSS, 0);
    struct history history = {0};
    job.validate.every = 10;
    CU_ASSERT_EQUAL(factor_after(&job, &history, 2, 10), 1);
    CU_ASSERT_EQUAL(factor_after(&job, &history, 1, 15), 1);
    CU_ASSERT_EQUAL(factor_after(&job, &history, 3, 16), 1);
    CU_ASSERT(history.plateau_step == 10 && history.plateau_reference == 2 && history.plateau_stale == 0);
    CU_ASSERT_EQUAL(factor_after(&job, &history, 3, 20), 0.5);
}

/* A part of a negative value is no less demanding: what stays the same is not better. */
static void a_metric_may_be_negative(void)
{
    static const double values[] = {-2, -2, -1.995, -2, -1, -0.5, -0.5, -0.5};
    static const double rates[] = {1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25};
    struct plateau_settings settings = {.factor = 0.5, .patience = 1, .threshold = 1e-2};
    struct job job = job_of(&settings, METRIC_R2, 0);
    check_falls(&job, sizeof values / sizeof *values, values, rates);
}

static void other_schedules_do_not_look(void)
{
    struct job job = {.schedule = {.class = &schedule_constant}};
    struct history history = {0};
    for (uint64_t step = 1; step < 100; step++)
        CU_ASSERT_EQUAL(factor_after(&job, &history, 1, step), 1);
    CU_ASSERT_EQUAL(history.plateau_stale + history.plateau_step, 0);
}

static void another_yardstick_begins_to_count_anew_but_the_rate_stays(void)
{
    struct plateau_settings settings = {.factor = 0.5, .patience = 0, .threshold = 0};
    struct job job = job_of(&settings, METRIC_LOSS, 0);
    struct history history = {0};
    best_prepare(&job, &digits, &history);
    factor_after(&job, &history, 1, 1);
    CU_ASSERT_EQUAL(factor_after(&job, &history, 1, 2), 0.5);
    best_prepare(&job, &digits, &history);
    CU_ASSERT_EQUAL(factor_after(&job, &history, 1, 3), 0.25);
    best_prepare(&job, &others, &history);
    CU_ASSERT_EQUAL(factor_after(&job, &history, 9, 4), 0.25);
    CU_ASSERT_EQUAL(factor_after(&job, &history, 9, 5), 0.125);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"it falls when that of PyTorch falls", it_falls_when_that_of_pytorch_falls},
        {"what is not regular is not seen", what_is_not_regular_is_not_seen},
        {"a metric may be negative", a_metric_may_be_negative},
        {"other schedules do not look", other_schedules_do_not_look},
        {"another yardstick begins to count anew, but the rate stays",
         another_yardstick_begins_to_count_anew_but_the_rate_stays},
        {NULL, NULL},
    };
    return test_run("policy/plateau", cases);
}
