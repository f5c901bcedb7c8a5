#include "optim/schedule.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const uint64_t lengths[] = {1, 2, 3, 10, 997, 100000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

/* A job in steps: the length of an epoch must not matter. */
static double factor_of(const struct schedule_spec *spec, uint64_t step, uint64_t steps)
{
    return schedule_factor(spec, (double)step, (double)steps, 0.3);
}

/* Of every kind, with lengths in steps. */
static struct schedule_spec spec_of(enum schedule_kind kind, double warmup, double floor)
{
    struct schedule_spec spec = {.kind = kind, .unit = SCHEDULE_STEPS, .warmup = warmup};
    if (kind != SCHEDULE_CONSTANT && kind != SCHEDULE_STEP)
        spec.floor = floor;
    if (kind == SCHEDULE_STEP) {
        spec.every = 10;
        spec.gamma = 0.5;
    }
    if (kind == SCHEDULE_POLYNOMIAL)
        spec.power = 2;
    if (kind == SCHEDULE_WSD)
        spec.decay = 10;
    return spec;
}

static void warmup_is_a_line_through_0_that_reaches_1_at_its_end(void)
{
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++)
        for (double floor = 0; floor <= 0.5; floor += 0.5) {
            struct schedule_spec spec = spec_of(kind, 8, floor);
            for (uint64_t step = 1; step <= 8; step++) /* exact: eighths */
                CU_ASSERT_EQUAL(factor_of(&spec, step, 100), (double)step / 8);
            spec.warmup = 1;
            CU_ASSERT_EQUAL(factor_of(&spec, 1, 100), 1);
            spec.warmup = 7;
            CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 3, 100), 3.0 / 7, 1e-15);
            CU_ASSERT_EQUAL(factor_of(&spec, 7, 100), 1);
        }
}

static void constant_stays_at_1_after_warmup(void)
{
    static const uint64_t warmups[] = {0, 1, 5};
    for (size_t i = 0; i < sizeof warmups / sizeof *warmups; i++) {
        struct schedule_spec spec = spec_of(SCHEDULE_CONSTANT, (double)warmups[i], 0);
        for (uint64_t step = warmups[i] ? warmups[i] : 1; step <= 20; step++)
            CU_ASSERT_EQUAL(factor_of(&spec, step, 20), 1);
    }
}

static void linear_is_a_line_to_its_floor(void)
{
    struct schedule_spec spec = spec_of(SCHEDULE_LINEAR, 8, 0.5); /* exact: 32 steps of 1/64 */
    for (uint64_t step = 8; step <= 40; step++)
        CU_ASSERT_EQUAL(factor_of(&spec, step, 40), 1 - (double)(step - 8) / 64);
}

static void cosine_is_that_of_the_paper(void)
{
    /* SGDR, equation 5: floor + (1 - floor) / 2 * (1 + cos(pi * t / T)), at the thirds, where the cosine is +-1/2. */
    struct schedule_spec spec = spec_of(SCHEDULE_COSINE, 10, 0.2);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 10, 40), 1, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 20, 40), 0.2 + 0.8 * 0.75, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 25, 40), 0.2 + 0.8 * 0.5, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 30, 40), 0.2 + 0.8 * 0.25, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 40, 40), 0.2, 1e-15);
}

static void step_halves_after_every_ten(void)
{
    struct schedule_spec spec = spec_of(SCHEDULE_STEP, 5, 0);
    static const struct {
        uint64_t step;
        double factor;
    } expected[] = {{5, 1}, {14, 1}, {15, 0.5}, {24, 0.5}, {25, 0.25}, {34, 0.25}, {35, 0.125}, {105, 0x1p-10}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        CU_ASSERT_EQUAL(factor_of(&spec, expected[i].step, 1000), expected[i].factor);
    spec.warmup = 0;
    CU_ASSERT_EQUAL(factor_of(&spec, 9, 1000), 1);
    CU_ASSERT_EQUAL(factor_of(&spec, 10, 1000), 0.5);
    spec.every = 2.5; /* boundaries at 2.5, 5, 7.5, ... */
    for (uint64_t step = 1; step <= 10; step++)
        CU_ASSERT_EQUAL(factor_of(&spec, step, 1000), ldexp(1, -(int)(2 * step / 5)));
    spec.gamma = 0;
    CU_ASSERT_EQUAL(factor_of(&spec, 2, 1000), 1);
    CU_ASSERT_EQUAL(factor_of(&spec, 3, 1000), 0);
    spec.gamma = 0.3;
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 23, 1000), pow(0.3, 9), 1e-15 * pow(0.3, 9));
}

static void polynomial_is_the_power_of_the_line(void)
{
    struct schedule_spec spec = spec_of(SCHEDULE_POLYNOMIAL, 8, 0.5);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 16, 24), 0.5 + 0.5 * 0.25, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 20, 24), 0.5 + 0.5 * 0.0625, 1e-15);
    spec.power = 0.5;
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&spec, 20, 24), 0.75, 1e-15);
    spec.power = 1;
    struct schedule_spec linear = spec_of(SCHEDULE_LINEAR, 8, 0.5);
    for (uint64_t step = 1; step <= 24; step++)
        CU_ASSERT_EQUAL(factor_of(&spec, step, 24), factor_of(&linear, step, 24));
}

static void wsd_is_stable_until_its_decay(void)
{
    struct schedule_spec spec = spec_of(SCHEDULE_WSD, 8, 0.5);
    spec.decay = 16;
    for (uint64_t step = 8; step <= 84; step++)
        CU_ASSERT_EQUAL(factor_of(&spec, step, 100), 1);
    for (uint64_t step = 84; step <= 100; step++) /* exact: 16 steps of 1/32 */
        CU_ASSERT_EQUAL(factor_of(&spec, step, 100), 1 - (double)(step - 84) / 32);
    spec.decay = 1000; /* no room: from the end of the warmup */
    struct schedule_spec linear = spec_of(SCHEDULE_LINEAR, 8, 0.5);
    for (uint64_t step = 1; step <= 100; step++)
        CU_ASSERT_EQUAL(factor_of(&spec, step, 100), factor_of(&linear, step, 100));
    spec.decay = 0;
    CU_ASSERT_EQUAL(factor_of(&spec, 100, 100), 1);
}

static void all_fall_from_1_and_end_at_their_floor(void)
{
    static const double floors[] = {0, 0.1, 0.3, 0.999};
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++)
        for (size_t l = 0; l < LENGTHS; l++)
            for (size_t f = 0; f < sizeof floors / sizeof *floors; f++) {
                uint64_t steps = lengths[l], warmup = steps / 4;
                struct schedule_spec spec = spec_of(kind, (double)warmup, floors[f]);
                /* Steps of a long one may round to equal. */
                bool strictly = schedule_falls(kind) && kind != SCHEDULE_WSD && steps < 10000;
                double before = 1;
                size_t rises = 0, outside = 0;
                for (uint64_t step = warmup + 1; step <= steps; step++) {
                    double factor = factor_of(&spec, step, steps);
                    rises += strictly ? factor >= before : factor > before;
                    outside += !(factor >= spec.floor && factor <= 1);
                    before = factor;
                }
                CU_ASSERT_EQUAL(rises, 0);
                CU_ASSERT_EQUAL(outside, 0);
                if (schedule_falls(kind))
                    CU_ASSERT_DOUBLE_EQUAL(before, floors[f], 1e-15);
            }
}

static void with_floor_1_all_stay_at_1(void)
{
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++) {
        struct schedule_spec spec = spec_of(kind, 0, 1);
        for (uint64_t step = 1; step <= 10; step++)
            CU_ASSERT_EQUAL(factor_of(&spec, step, 10), kind == SCHEDULE_STEP && step == 10 ? 0.5 : 1);
    }
}

static void without_warmup_the_fall_starts_at_once(void)
{
    struct schedule_spec cosine = spec_of(SCHEDULE_COSINE, 0, 0), linear = spec_of(SCHEDULE_LINEAR, 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&cosine, 1, 4), 0.5 + 0.5 * sqrt(0.5), 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&cosine, 2, 4), 0.5, 1e-15);
    CU_ASSERT_EQUAL(factor_of(&linear, 1, 4), 0.75);
}

static void warmup_over_all_steps_ends_at_1(void)
{
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++)
        for (size_t l = 0; l < LENGTHS; l++) {
            struct schedule_spec spec = spec_of(kind, (double)lengths[l], 0);
            CU_ASSERT_EQUAL(factor_of(&spec, lengths[l], lengths[l]), 1);
            CU_ASSERT_EQUAL(factor_of(&spec, 1, lengths[l]), 1 / (double)lengths[l]);
            spec.warmup = 2 * (double)lengths[l]; /* cut off half way */
            CU_ASSERT_EQUAL(factor_of(&spec, lengths[l], lengths[l]), 0.5);
        }
}

static void a_job_of_one_step_has_a_factor(void)
{
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++) {
        struct schedule_spec falls = spec_of(kind, 0, 0.25), rises = spec_of(kind, 1, 0.25);
        /* Its last step is at the floor. */
        CU_ASSERT_DOUBLE_EQUAL(factor_of(&falls, 1, 1), schedule_falls(kind) ? 0.25 : 1, 1e-15);
        CU_ASSERT_EQUAL(factor_of(&rises, 1, 1), 1);
    }
}

static void lengths_in_epochs_are_lengths_in_steps(void)
{
    enum { STEPS = 200 };
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++) {
        struct schedule_spec epochs = spec_of(kind, 3, 0.1), steps = spec_of(kind, 37.5, 0.1);
        epochs.unit = SCHEDULE_EPOCHS;
        steps.every *= 12.5;
        steps.decay *= 12.5;
        for (uint64_t step = 1; step <= STEPS; step++)
            CU_ASSERT_EQUAL(schedule_factor(&epochs, (double)step, STEPS, 12.5), factor_of(&steps, step, STEPS));
        CU_ASSERT_EQUAL(schedule_factor(&epochs, 15, STEPS, 12.5), 0.4);
        CU_ASSERT_EQUAL(schedule_factor(&epochs, 37, STEPS, 12.5), 37 / 37.5);
        double after = schedule_factor(&epochs, 38, STEPS, 12.5);
        CU_ASSERT_TRUE(after > 0.98 && after <= 1);
    }
}

static void behind_the_horizon_a_falling_curve_stays_at_its_floor(void)
{
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++) {
        struct schedule_spec spec = spec_of(kind, 8, 0.25);
        for (uint64_t step = 41; step <= 1000; step++)
            if (schedule_falls(kind))
                CU_ASSERT_EQUAL(factor_of(&spec, step, 40), 0.25);
        if (!schedule_falls(kind)) /* the others do not know it */
            for (uint64_t step = 1; step <= 1000; step++)
                CU_ASSERT_EQUAL(factor_of(&spec, step, 40), factor_of(&spec, step, 1000));
        spec.warmup = 60;
        CU_ASSERT_EQUAL(factor_of(&spec, 45, 40), 0.75);
        CU_ASSERT_EQUAL(factor_of(&spec, 60, 40), 1);
    }
}

/* The public contract for steps that no double can count exactly: still in [0, 1]. */
static void enormous_numbers_of_steps_stay_in_range(void)
{
    static const uint64_t last = UINT64_MAX;
    static const double warmups[] = {0, 0x1p63, 0x1p64, 0x1p64 - 0x1p11};
    static const double everies[] = {1e-300, 1, 0x1p60};
    const uint64_t at[] = {1, last / 4, last / 2, last / 2 + 1, last - 1, last};
    for (enum schedule_kind kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_WSD; kind++)
        for (size_t w = 0; w < sizeof warmups / sizeof *warmups; w++)
            for (size_t s = 0; s < sizeof at / sizeof *at; s++)
                for (size_t e = 0; e < sizeof everies / sizeof *everies; e++) {
                    struct schedule_spec spec = spec_of(kind, warmups[w], 0.1);
                    spec.every = everies[e];
                    double factor = factor_of(&spec, at[s], last);
                    CU_ASSERT_TRUE(factor >= 0 && factor <= 1);
                }
}

static void every_kind_and_unit_has_a_name(void)
{
    static const char *const names[] = {NULL, "constant", "linear", "cosine", "step", "polynomial", "wsd", NULL};
    static const char *const units[] = {NULL, "steps", "epochs", NULL};
    CU_ASSERT_PTR_NULL(schedule_names[0]);
    CU_ASSERT_PTR_NULL(schedule_names[SCHEDULE_WSD + 1]);
    for (size_t kind = 1; names[kind]; kind++)
        CU_ASSERT_STRING_EQUAL(schedule_names[kind], names[kind]);
    CU_ASSERT_STRING_EQUAL(schedule_names[SCHEDULE_WSD], "wsd");
    CU_ASSERT_PTR_NULL(schedule_units[0]);
    CU_ASSERT_PTR_NULL(schedule_units[SCHEDULE_EPOCHS + 1]);
    for (size_t unit = 1; units[unit]; unit++)
        CU_ASSERT_STRING_EQUAL(schedule_units[unit], units[unit]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"warmup is a line through 0 that reaches 1 at its end", warmup_is_a_line_through_0_that_reaches_1_at_its_end},
        {"constant stays at 1 after warmup", constant_stays_at_1_after_warmup},
        {"linear is a line to its floor", linear_is_a_line_to_its_floor},
        {"cosine is that of the paper", cosine_is_that_of_the_paper},
        {"step halves after every ten", step_halves_after_every_ten},
        {"polynomial is the power of the line", polynomial_is_the_power_of_the_line},
        {"warmup-stable-decay is stable until its decay", wsd_is_stable_until_its_decay},
        {"all fall from 1 and end at their floor", all_fall_from_1_and_end_at_their_floor},
        {"with floor 1 all stay at 1", with_floor_1_all_stay_at_1},
        {"without warmup the fall starts at once", without_warmup_the_fall_starts_at_once},
        {"warmup over all steps ends at 1", warmup_over_all_steps_ends_at_1},
        {"a job of one step has a factor", a_job_of_one_step_has_a_factor},
        {"lengths in epochs are lengths in steps", lengths_in_epochs_are_lengths_in_steps},
        {"behind the horizon a falling curve stays at its floor",
         behind_the_horizon_a_falling_curve_stays_at_its_floor},
        {"enormous numbers of steps stay in range", enormous_numbers_of_steps_stay_in_range},
        {"every kind and unit has a name", every_kind_and_unit_has_a_name},
        {NULL, NULL},
    };
    return test_run("optim/schedule", cases);
}
