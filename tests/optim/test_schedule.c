#include "optim/schedule.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static const uint64_t lengths[] = {1, 2, 3, 10, 997, 100000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static const struct schedule_class *const classes[] = {&schedule_constant, &schedule_linear,     &schedule_cosine,
                                                       &schedule_step,     &schedule_polynomial, &schedule_wsd};
enum { CLASSES = sizeof classes / sizeof *classes };

/* Those that rise again, and have tests of their own. */
static const struct schedule_class *const cycles[] = {&schedule_one_cycle, &schedule_cosine_restarts};
enum { CYCLES = sizeof cycles / sizeof *cycles };

/* A schedule, with room for its settings. */
struct curve {
    struct schedule_spec spec;
    struct step_settings step;
    struct polynomial_settings polynomial;
    struct wsd_settings wsd;
    struct one_cycle_settings one_cycle;
    struct cosine_restarts_settings restarts;
};

static double factor_at(struct curve *curve, double step, double end, double samples, double batch)
{
    const struct schedule_time time = {.step = step, .end = end, .samples = samples, .batch = batch};
    if (curve->spec.class == &schedule_step)
        curve->spec.settings = &curve->step;
    if (curve->spec.class == &schedule_polynomial)
        curve->spec.settings = &curve->polynomial;
    if (curve->spec.class == &schedule_wsd)
        curve->spec.settings = &curve->wsd;
    if (curve->spec.class == &schedule_one_cycle)
        curve->spec.settings = &curve->one_cycle;
    if (curve->spec.class == &schedule_cosine_restarts)
        curve->spec.settings = &curve->restarts;
    return schedule_factor(&curve->spec, &time);
}

/* A job in steps: the length of an epoch must not matter. */
static double factor_of(struct curve *curve, uint64_t step, uint64_t steps)
{
    return factor_at(curve, (double)step, (double)steps, 3, 10);
}

/* Of every class, with lengths in steps. */
static struct curve curve_of(const struct schedule_class *class, double warmup, double floor)
{
    return (struct curve){
        .spec = {.class = class, .unit = SCHEDULE_STEPS, .warmup = warmup, .floor = class->falls ? floor : 0},
        .step = {.every = 10, .gamma = 0.5},
        .polynomial = {.power = 2},
        .wsd = {.decay = 10},
        .one_cycle = {.pct_start = 0.3, .div_factor = 25, .final_div_factor = 1e4},
        .restarts = {.t_0 = 4, .t_mult = 1}};
}

static void warmup_is_a_line_through_0_that_reaches_1_at_its_end(void)
{
    for (size_t c = 0; c < CLASSES; c++)
        for (double floor = 0; floor <= 0.5; floor += 0.5) {
            struct curve curve = curve_of(classes[c], 8, floor);
            for (uint64_t step = 1; step <= 8; step++) /* exact: eighths */
                CU_ASSERT_EQUAL(factor_of(&curve, step, 100), (double)step / 8);
            curve.spec.warmup = 1;
            CU_ASSERT_EQUAL(factor_of(&curve, 1, 100), 1);
            curve.spec.warmup = 7;
            CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 3, 100), 3.0 / 7, 1e-15);
            CU_ASSERT_EQUAL(factor_of(&curve, 7, 100), 1);
        }
}

static void constant_stays_at_1_after_warmup(void)
{
    static const uint64_t warmups[] = {0, 1, 5};
    for (size_t i = 0; i < sizeof warmups / sizeof *warmups; i++) {
        struct curve curve = curve_of(&schedule_constant, (double)warmups[i], 0);
        for (uint64_t step = warmups[i] ? warmups[i] : 1; step <= 20; step++)
            CU_ASSERT_EQUAL(factor_of(&curve, step, 20), 1);
    }
}

static void linear_is_a_line_to_its_floor(void)
{
    struct curve curve = curve_of(&schedule_linear, 8, 0.5); /* exact: 32 steps of 1/64 */
    for (uint64_t step = 8; step <= 40; step++)
        CU_ASSERT_EQUAL(factor_of(&curve, step, 40), 1 - (double)(step - 8) / 64);
}

static void cosine_is_that_of_the_paper(void)
{
    /* SGDR, equation 5: floor + (1 - floor) / 2 * (1 + cos(pi * t / T)), at the thirds, where the cosine is +-1/2. */
    struct curve curve = curve_of(&schedule_cosine, 10, 0.2);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 10, 40), 1, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 20, 40), 0.2 + 0.8 * 0.75, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 25, 40), 0.2 + 0.8 * 0.5, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 30, 40), 0.2 + 0.8 * 0.25, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 40, 40), 0.2, 1e-15);
}

static void step_halves_after_every_ten(void)
{
    struct curve curve = curve_of(&schedule_step, 5, 0);
    static const struct {
        uint64_t step;
        double factor;
    } expected[] = {{5, 1}, {14, 1}, {15, 0.5}, {24, 0.5}, {25, 0.25}, {34, 0.25}, {35, 0.125}, {105, 0x1p-10}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        CU_ASSERT_EQUAL(factor_of(&curve, expected[i].step, 1000), expected[i].factor);
    curve.spec.warmup = 0;
    CU_ASSERT_EQUAL(factor_of(&curve, 9, 1000), 1);
    CU_ASSERT_EQUAL(factor_of(&curve, 10, 1000), 0.5);
    curve.step.every = 2.5; /* boundaries at 2.5, 5, 7.5, ... */
    for (uint64_t step = 1; step <= 10; step++)
        CU_ASSERT_EQUAL(factor_of(&curve, step, 1000), ldexp(1, -(int)(2 * step / 5)));
    curve.step.gamma = 0;
    CU_ASSERT_EQUAL(factor_of(&curve, 2, 1000), 1);
    CU_ASSERT_EQUAL(factor_of(&curve, 3, 1000), 0);
    curve.step.gamma = 0.3;
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 23, 1000), pow(0.3, 9), 1e-15 * pow(0.3, 9));
}

static void polynomial_is_the_power_of_the_line(void)
{
    struct curve curve = curve_of(&schedule_polynomial, 8, 0.5);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 16, 24), 0.5 + 0.5 * 0.25, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 20, 24), 0.5 + 0.5 * 0.0625, 1e-15);
    curve.polynomial.power = 0.5;
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, 20, 24), 0.75, 1e-15);
    curve.polynomial.power = 1;
    struct curve linear = curve_of(&schedule_linear, 8, 0.5);
    for (uint64_t step = 1; step <= 24; step++)
        CU_ASSERT_EQUAL(factor_of(&curve, step, 24), factor_of(&linear, step, 24));
}

static void wsd_is_stable_until_its_decay(void)
{
    struct curve curve = curve_of(&schedule_wsd, 8, 0.5);
    curve.wsd.decay = 16;
    for (uint64_t step = 8; step <= 84; step++)
        CU_ASSERT_EQUAL(factor_of(&curve, step, 100), 1);
    for (uint64_t step = 84; step <= 100; step++) /* exact: 16 steps of 1/32 */
        CU_ASSERT_EQUAL(factor_of(&curve, step, 100), 1 - (double)(step - 84) / 32);
    curve.wsd.decay = 1000; /* no room: from the end of the warmup */
    struct curve linear = curve_of(&schedule_linear, 8, 0.5);
    for (uint64_t step = 1; step <= 100; step++)
        CU_ASSERT_EQUAL(factor_of(&curve, step, 100), factor_of(&linear, step, 100));
    curve.wsd.decay = 0;
    CU_ASSERT_EQUAL(factor_of(&curve, 100, 100), 1);
}

static void check_curve(struct curve *curve, size_t steps, const double *expected)
{
    for (size_t i = 0; i < steps; i++)
        CU_ASSERT_DOUBLE_EQUAL(factor_of(curve, i + 1, steps), expected[i], 1e-15);
}

/* Numbers of torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=...), PyTorch 1.13. */
static void one_cycle_has_the_rates_of_pytorch(void)
{
    static const double ten[] = {0.040000000000000036,  0.52000000000000002, 1,
                                 0.95048463201347366,   0.81174565394976306, 0.61126202193628931,
                                 0.38874197806371075,   0.18825834605023697, 0.049519367986526286,
                                 3.9999999999999998e-06};
    static const double seven[] = {0.099999999999999978,
                                   0.41094235253127365,
                                   0.91405764746872631,
                                   0.95053394951725834,
                                   0.61164920651117904,
                                   0.18906684397156262,
                                   0.001}; /* pct_start=0.5, div_factor=10, final_div_factor=100 */
    struct curve curve = curve_of(&schedule_one_cycle, 0, 0);
    check_curve(&curve, 10, ten);
    CU_ASSERT_EQUAL(factor_of(&curve, 3, 10), 1);
    curve.one_cycle = (struct one_cycle_settings){.pct_start = 0.5, .div_factor = 10, .final_div_factor = 100};
    check_curve(&curve, 7, seven);
}

static void one_cycle_has_a_rate_wherever_its_peak_is(void)
{
    struct curve curve = curve_of(&schedule_one_cycle, 0, 0);
    double last = 1.0 / 25 / 1e4;
    for (double part = 0; part <= 1; part += 0.25)
        for (uint64_t steps = 1; steps <= 5; steps++) {
            curve.one_cycle.pct_start = part;
            for (uint64_t step = 1; step <= steps; step++)
                CU_ASSERT_TRUE(factor_of(&curve, step, steps) >= last * 0.999 && factor_of(&curve, step, steps) <= 1);
            CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, steps, steps), part == 1 ? 1 : last, 1e-15);
            CU_ASSERT_EQUAL(factor_of(&curve, 2 * steps, steps), factor_of(&curve, steps, steps));
        }
}

/* Numbers of CosineAnnealingWarmRestarts(optimizer, 4), and (optimizer, 3, 2, eta_min=0.1). */
static void cosine_restarts_has_the_rates_of_pytorch(void)
{
    static const double even[] = {1,   0.85355339059327373, 0.5, 0.14644660940672627, 1, 0.85355339059327373,
                                  0.5, 0.14644660940672627, 1,   0.85355339059327373};
    static const double growing[] = {1,
                                     0.77500000000000002,
                                     0.32500000000000012,
                                     1,
                                     0.93971143170299742,
                                     0.77500000000000002,
                                     0.55000000000000004,
                                     0.32500000000000012,
                                     0.16028856829700258,
                                     1,
                                     0.98466662183008069,
                                     0.93971143170299742};
    struct curve curve = curve_of(&schedule_cosine_restarts, 0, 0);
    check_curve(&curve, 10, even);
    curve.spec.floor = 0.1;
    curve.restarts = (struct cosine_restarts_settings){.t_0 = 3, .t_mult = 2};
    check_curve(&curve, 12, growing);
    curve.spec.warmup = 5; /* the first period begins where the warmup has reached the peak */
    for (uint64_t step = 5; step <= 16; step++)
        CU_ASSERT_DOUBLE_EQUAL(factor_of(&curve, step, 16), growing[step - 5], 1e-15);
    CU_ASSERT_EQUAL(factor_of(&curve, 4, 16), 0.8);
}

static void cycles_in_epochs_are_cycles_in_steps(void)
{
    for (size_t c = 0; c < CYCLES; c++)
        for (uint64_t mult = 1; mult <= 2; mult++) {
            struct curve epochs = curve_of(cycles[c], 0, 0), steps = curve_of(cycles[c], 0, 0);
            epochs.spec.unit = SCHEDULE_EPOCHS;
            epochs.restarts.t_mult = steps.restarts.t_mult = mult;
            steps.restarts.t_0 *= 12.5;
            for (uint64_t step = 1; step <= 200; step++)
                CU_ASSERT_EQUAL(factor_at(&epochs, (double)step, 200, 25, 2), factor_of(&steps, step, 200));
        }
}

static void all_fall_from_1_and_end_at_their_floor(void)
{
    static const double floors[] = {0, 0.1, 0.3, 0.999};
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t l = 0; l < LENGTHS; l++)
            for (size_t f = 0; f < sizeof floors / sizeof *floors; f++) {
                uint64_t steps = lengths[l], warmup = steps / 4;
                struct curve curve = curve_of(classes[c], (double)warmup, floors[f]);
                /* Steps of a long one may round to equal. */
                bool strictly = classes[c]->falls && classes[c] != &schedule_wsd && steps < 10000;
                double before = 1;
                size_t rises = 0, outside = 0;
                for (uint64_t step = warmup + 1; step <= steps; step++) {
                    double factor = factor_of(&curve, step, steps);
                    rises += strictly ? factor >= before : factor > before;
                    outside += !(factor >= curve.spec.floor && factor <= 1);
                    before = factor;
                }
                CU_ASSERT_EQUAL(rises, 0);
                CU_ASSERT_EQUAL(outside, 0);
                if (classes[c]->falls)
                    CU_ASSERT_DOUBLE_EQUAL(before, floors[f], 1e-15);
            }
}

static void with_floor_1_all_stay_at_1(void)
{
    for (size_t c = 0; c < CLASSES; c++) {
        struct curve curve = curve_of(classes[c], 0, 1);
        for (uint64_t step = 1; step <= 10; step++)
            CU_ASSERT_EQUAL(factor_of(&curve, step, 10), classes[c] == &schedule_step && step == 10 ? 0.5 : 1);
    }
}

static void without_warmup_the_fall_starts_at_once(void)
{
    struct curve cosine = curve_of(&schedule_cosine, 0, 0), linear = curve_of(&schedule_linear, 0, 0);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&cosine, 1, 4), 0.5 + 0.5 * sqrt(0.5), 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(factor_of(&cosine, 2, 4), 0.5, 1e-15);
    CU_ASSERT_EQUAL(factor_of(&linear, 1, 4), 0.75);
}

static void warmup_over_all_steps_ends_at_1(void)
{
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t l = 0; l < LENGTHS; l++) {
            struct curve curve = curve_of(classes[c], (double)lengths[l], 0);
            CU_ASSERT_EQUAL(factor_of(&curve, lengths[l], lengths[l]), 1);
            CU_ASSERT_EQUAL(factor_of(&curve, 1, lengths[l]), 1 / (double)lengths[l]);
            curve.spec.warmup = 2 * (double)lengths[l]; /* cut off half way */
            CU_ASSERT_EQUAL(factor_of(&curve, lengths[l], lengths[l]), 0.5);
        }
}

static void a_job_of_one_step_has_a_factor(void)
{
    for (size_t c = 0; c < CLASSES; c++) {
        struct curve falls = curve_of(classes[c], 0, 0.25), rises = curve_of(classes[c], 1, 0.25);
        /* Its last step is at the floor. */
        CU_ASSERT_DOUBLE_EQUAL(factor_of(&falls, 1, 1), classes[c]->falls ? 0.25 : 1, 1e-15);
        CU_ASSERT_EQUAL(factor_of(&rises, 1, 1), 1);
    }
}

static void lengths_in_epochs_are_lengths_in_steps(void)
{
    enum { STEPS = 200 };
    for (size_t c = 0; c < CLASSES; c++) {
        struct curve epochs = curve_of(classes[c], 3, 0.1), steps = curve_of(classes[c], 37.5, 0.1);
        epochs.spec.unit = SCHEDULE_EPOCHS;
        steps.step.every *= 12.5;
        steps.wsd.decay *= 12.5;
        for (uint64_t step = 1; step <= STEPS; step++)
            CU_ASSERT_EQUAL(factor_at(&epochs, (double)step, STEPS, 25, 2), factor_of(&steps, step, STEPS));
        CU_ASSERT_EQUAL(factor_at(&epochs, 15, STEPS, 25, 2), 0.4);
        CU_ASSERT_EQUAL(factor_at(&epochs, 37, STEPS, 25, 2), 37 / 37.5);
        double after = factor_at(&epochs, 38, STEPS, 25, 2);
        CU_ASSERT_TRUE(after > 0.98 && after <= 1);
    }
}

static void behind_the_horizon_a_falling_curve_stays_at_its_floor(void)
{
    for (size_t c = 0; c < CLASSES; c++) {
        struct curve curve = curve_of(classes[c], 8, 0.25);
        for (uint64_t step = 41; step <= 1000; step++)
            if (classes[c]->falls)
                CU_ASSERT_EQUAL(factor_of(&curve, step, 40), 0.25);
        if (!classes[c]->falls) /* the others do not know it */
            for (uint64_t step = 1; step <= 1000; step++)
                CU_ASSERT_EQUAL(factor_of(&curve, step, 40), factor_of(&curve, step, 1000));
        curve.spec.warmup = 60;
        CU_ASSERT_EQUAL(factor_of(&curve, 45, 40), 0.75);
        CU_ASSERT_EQUAL(factor_of(&curve, 60, 40), 1);
    }
}

/* The public contract for steps that no double can count exactly: still in [0, 1]. */
static void enormous_numbers_of_steps_stay_in_range(void)
{
    static const uint64_t last = UINT64_MAX;
    static const double warmups[] = {0, 0x1p63, 0x1p64, 0x1p64 - 0x1p11};
    static const double everies[] = {1e-300, 1, 0x1p60};
    const uint64_t at[] = {1, last / 4, last / 2, last / 2 + 1, last - 1, last};
    for (size_t c = 0; c < CLASSES + CYCLES; c++)
        for (size_t w = 0; w < sizeof warmups / sizeof *warmups; w++)
            for (size_t s = 0; s < sizeof at / sizeof *at; s++)
                for (size_t e = 0; e < sizeof everies / sizeof *everies; e++) {
                    struct curve curve = curve_of(c < CLASSES ? classes[c] : cycles[c - CLASSES], warmups[w], 0.1);
                    curve.step.every = curve.restarts.t_0 = everies[e];
                    curve.restarts.t_mult = 1 + s % 2;
                    double factor = factor_of(&curve, at[s], last);
                    CU_ASSERT_TRUE(factor >= 0 && factor <= 1);
                }
}

/* Written out by hand: (1 + n) / (10 + n) is 0.9 at update 80. */
static void averages_forget_young_weights_sooner_while_they_warm_up(void)
{
    CU_ASSERT_EQUAL(schedule_average_decay(0.9, true, 1), 2.0 / 11);
    CU_ASSERT_EQUAL(schedule_average_decay(0.9, true, 10), 0.55);
    CU_ASSERT_EQUAL(schedule_average_decay(0.9, true, 79), 80.0 / 89);
    CU_ASSERT_EQUAL(schedule_average_decay(0.9, true, 80), 0.9);
    CU_ASSERT_EQUAL(schedule_average_decay(0.9, true, UINT64_MAX), 0.9);
    CU_ASSERT_EQUAL(schedule_average_decay(0.1, true, 1), 0.1);
    CU_ASSERT_EQUAL(schedule_average_decay(0.9, false, 1), 0.9);
}

static void every_unit_has_a_name(void)
{
    static const char *const units[] = {NULL, "steps", "epochs", NULL};
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
        {"one_cycle has the rates of PyTorch", one_cycle_has_the_rates_of_pytorch},
        {"one_cycle has a rate wherever its peak is", one_cycle_has_a_rate_wherever_its_peak_is},
        {"cosine_restarts has the rates of PyTorch", cosine_restarts_has_the_rates_of_pytorch},
        {"cycles in epochs are cycles in steps", cycles_in_epochs_are_cycles_in_steps},
        {"all fall from 1 and end at their floor", all_fall_from_1_and_end_at_their_floor},
        {"with floor 1 all stay at 1", with_floor_1_all_stay_at_1},
        {"without warmup the fall starts at once", without_warmup_the_fall_starts_at_once},
        {"warmup over all steps ends at 1", warmup_over_all_steps_ends_at_1},
        {"a job of one step has a factor", a_job_of_one_step_has_a_factor},
        {"lengths in epochs are lengths in steps", lengths_in_epochs_are_lengths_in_steps},
        {"behind the horizon a falling curve stays at its floor",
         behind_the_horizon_a_falling_curve_stays_at_its_floor},
        {"enormous numbers of steps stay in range", enormous_numbers_of_steps_stay_in_range},
        {"averages forget young weights sooner while they warm up",
         averages_forget_young_weights_sooner_while_they_warm_up},
        {"every unit has a name", every_unit_has_a_name},
        {NULL, NULL},
    };
    return test_run("optim/schedule", cases);
}
