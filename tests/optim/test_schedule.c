#include "optim/schedule.h"
#include "support/test.h"

#include <math.h>

static const uint64_t lengths[] = {1, 2, 3, 10, 997, 100000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static struct schedule_spec constant(uint64_t warmup)
{
    return (struct schedule_spec){.kind = SCHEDULE_CONSTANT, .warmup = warmup};
}

static struct schedule_spec cosine(uint64_t warmup, double floor)
{
    return (struct schedule_spec){.kind = SCHEDULE_COSINE, .warmup = warmup, .floor = floor};
}

static void warmup_is_a_line_through_0_that_reaches_1_at_its_end(void)
{
    struct schedule_spec specs[] = {constant(8), cosine(8, 0), cosine(8, 0.5)};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        for (uint64_t step = 1; step <= 8; step++) /* exact: eighths */
            CU_ASSERT_EQUAL(schedule_factor(&specs[i], step, 100), (double)step / 8);
        specs[i].warmup = 1;
        CU_ASSERT_EQUAL(schedule_factor(&specs[i], 1, 100), 1);
        specs[i].warmup = 7;
        CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&specs[i], 3, 100), 3.0 / 7, 1e-15);
        CU_ASSERT_EQUAL(schedule_factor(&specs[i], 7, 100), 1);
    }
}

static void constant_stays_at_1_after_warmup(void)
{
    static const uint64_t warmups[] = {0, 1, 5};
    for (size_t i = 0; i < sizeof warmups / sizeof *warmups; i++) {
        struct schedule_spec spec = constant(warmups[i]);
        for (uint64_t step = warmups[i] ? warmups[i] : 1; step <= 20; step++)
            CU_ASSERT_EQUAL(schedule_factor(&spec, step, 20), 1);
    }
}

static void cosine_is_that_of_the_paper(void)
{
    /* SGDR, equation 5: floor + (1 - floor) / 2 * (1 + cos(pi * t / T)), at the thirds, where the cosine is +-1/2. */
    struct schedule_spec spec = cosine(10, 0.2);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&spec, 10, 40), 1, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&spec, 20, 40), 0.2 + 0.8 * 0.75, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&spec, 25, 40), 0.2 + 0.8 * 0.5, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&spec, 30, 40), 0.2 + 0.8 * 0.25, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&spec, 40, 40), 0.2, 1e-15);
}

static void cosine_falls_from_step_to_step_and_ends_at_its_floor(void)
{
    static const double floors[] = {0, 0.1, 0.3, 0.999};
    for (size_t l = 0; l < LENGTHS; l++)
        for (size_t f = 0; f < sizeof floors / sizeof *floors; f++) {
            uint64_t steps = lengths[l], warmup = steps / 4;
            struct schedule_spec spec = cosine(warmup, floors[f]);
            double before = 1;
            size_t rises = 0, outside = 0;
            for (uint64_t step = warmup + 1; step <= steps; step++) {
                double factor = schedule_factor(&spec, step, steps);
                rises += steps < 10000 ? factor >= before
                                       : factor > before; /* steps of a long one may round to equal */
                outside += !(factor >= floors[f] && factor <= 1);
                before = factor;
            }
            CU_ASSERT_EQUAL(rises, 0);
            CU_ASSERT_EQUAL(outside, 0);
            CU_ASSERT_DOUBLE_EQUAL(before, floors[f], 1e-15);
        }
}

static void cosine_with_floor_1_stays_at_1(void)
{
    struct schedule_spec spec = cosine(0, 1);
    for (uint64_t step = 1; step <= 10; step++)
        CU_ASSERT_EQUAL(schedule_factor(&spec, step, 10), 1);
}

static void without_warmup_cosine_starts_to_fall_at_once(void)
{
    struct schedule_spec spec = cosine(0, 0);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&spec, 1, 4), 0.5 + 0.5 * sqrt(0.5), 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&spec, 2, 4), 0.5, 1e-15);
}

static void warmup_over_all_steps_ends_at_1(void)
{
    for (size_t l = 0; l < LENGTHS; l++) {
        struct schedule_spec specs[] = {constant(lengths[l]), cosine(lengths[l], 0)};
        for (size_t i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(schedule_factor(&specs[i], lengths[l], lengths[l]), 1);
            CU_ASSERT_EQUAL(schedule_factor(&specs[i], 1, lengths[l]), 1 / (double)lengths[l]);
        }
    }
}

static void a_job_of_one_step_has_a_factor(void)
{
    struct schedule_spec flat = constant(0), falls = cosine(0, 0.25), rises = cosine(1, 0.25);
    CU_ASSERT_EQUAL(schedule_factor(&flat, 1, 1), 1);
    CU_ASSERT_DOUBLE_EQUAL(schedule_factor(&falls, 1, 1), 0.25, 1e-15); /* its last step is at the floor */
    CU_ASSERT_EQUAL(schedule_factor(&rises, 1, 1), 1);
}

/* The public contract for steps that no double can count exactly: still in [0, 1]. */
static void enormous_numbers_of_steps_stay_in_range(void)
{
    static const uint64_t last = UINT64_MAX;
    struct schedule_spec specs[] = {constant(last), cosine(last / 2, 0.1), cosine(0, 0.1), cosine(last - 1, 0)};
    const uint64_t at[] = {1, last / 4, last / 2, last / 2 + 1, last - 1, last};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        for (size_t s = 0; s < sizeof at / sizeof *at; s++) {
            double factor = schedule_factor(&specs[i], at[s], last);
            CU_ASSERT_TRUE(factor >= 0 && factor <= 1);
        }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"warmup is a line through 0 that reaches 1 at its end", warmup_is_a_line_through_0_that_reaches_1_at_its_end},
        {"constant stays at 1 after warmup", constant_stays_at_1_after_warmup},
        {"cosine is that of the paper", cosine_is_that_of_the_paper},
        {"cosine falls from step to step and ends at its floor", cosine_falls_from_step_to_step_and_ends_at_its_floor},
        {"cosine with floor 1 stays at 1", cosine_with_floor_1_stays_at_1},
        {"without warmup cosine starts to fall at once", without_warmup_cosine_starts_to_fall_at_once},
        {"warmup over all steps ends at 1", warmup_over_all_steps_ends_at_1},
        {"a job of one step has a factor", a_job_of_one_step_has_a_factor},
        {"enormous numbers of steps stay in range", enormous_numbers_of_steps_stay_in_range},
        {NULL, NULL},
    };
    return test_run("optim/schedule", cases);
}
