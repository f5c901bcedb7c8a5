/* Steps, epochs, and the schedule between them. */
#include "job/length.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

static const struct sampler plain = {.seed = 1, .samples = 1000, .batch = 64}; /* 15.625 steps an epoch */

static struct job job_of(uint64_t steps, double epochs, double horizon, enum schedule_unit unit)
{
    struct job job = {.train = {.steps = steps, .epochs = epochs, .batch = 64, .microbatch = 8},
                      .optimizer = {.learning_rate = 0.5},
                      .schedule = {.class = &schedule_cosine, .unit = unit, .horizon = horizon, .floor = 0.1}};
    return job;
}

static uint64_t steps_of(double epochs, const struct sampler *sampler)
{
    struct job job = job_of(0, epochs, 0, SCHEDULE_STEPS);
    struct error error = {0};
    uint64_t steps = 0;
    CU_ASSERT_TRUE(length_steps(&job, sampler, &steps, &error));
    return steps;
}

static void epochs_are_complete(void)
{
    CU_ASSERT_EQUAL(steps_of(1, &plain), 16);
    CU_ASSERT_EQUAL(steps_of(2, &plain), 32);
    CU_ASSERT_EQUAL(steps_of(4, &plain), 63);
    CU_ASSERT_EQUAL(steps_of(8, &plain), 125);
    CU_ASSERT_EQUAL(steps_of(0.5, &plain), 8);
    CU_ASSERT_EQUAL(steps_of(1e-9, &plain), 1);
    struct sampler single = {.samples = 10, .batch = 1}; /* 1.1 * 10 is more than 11 */
    CU_ASSERT_EQUAL(steps_of(1.1, &single), 11);
}

static void steps_are_steps(void)
{
    struct job job = job_of(77, 0, 0, SCHEDULE_EPOCHS);
    struct error error = {0};
    uint64_t steps = 0;
    CU_ASSERT_TRUE(length_steps(&job, &plain, &steps, &error));
    CU_ASSERT_EQUAL(steps, 77);
}

static void a_changed_batch_takes_what_is_left(void)
{
    struct sampler changed = plain;
    changed.batch = 100;
    changed.first_step = 16;
    changed.first_sample = 1024;
    CU_ASSERT_EQUAL(steps_of(2, &changed), 26); /* 976 samples are 10 steps */
    CU_ASSERT_EQUAL(steps_of(1, &changed), 16); /* was finished */
    CU_ASSERT_EQUAL(steps_of(0.1, &changed), 16);
}

static void too_many_are_refused(void)
{
    static const double epochs[] = {1e11, 1e18, 1e300};
    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++) {
        struct job job = job_of(0, epochs[i], 0, SCHEDULE_STEPS);
        struct error error = {0};
        uint64_t steps;
        CU_ASSERT_FALSE(length_steps(&job, &plain, &steps, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    }
}

static bool moves(const struct job *saved, const struct job *now)
{
    struct text words;
    text_init(&words);
    length_explain(saved, now, &words);
    bool said = words.length > 0;
    text_release(&words);
    return said;
}

/* Whether two jobs have the same learning rates, to the bit, in the steps that both make. */
static bool same_rates(const struct job *a, const struct job *b, uint64_t a_steps, uint64_t b_steps)
{
    uint64_t steps = a_steps < b_steps ? a_steps : b_steps;
    for (uint64_t step = 1; step <= steps; step++)
        if (length_learning_rate(a, &plain, a_steps, step) != length_learning_rate(b, &plain, b_steps, step))
            return false;
    return true;
}

static void a_fixed_horizon_makes_two_and_two_four(void)
{
    for (enum schedule_unit unit = SCHEDULE_STEPS; unit <= SCHEDULE_EPOCHS; unit++) {
        double horizon = unit == SCHEDULE_EPOCHS ? 4 : 63;
        struct job two = job_of(0, 2, horizon, unit), four = job_of(0, 4, horizon, unit), free = job_of(0, 4, 0, unit);
        CU_ASSERT_TRUE(same_rates(&two, &four, 32, 63));
        CU_ASSERT_TRUE(same_rates(&four, &free, 63, 63)); /* what it is by default */
        two.schedule.horizon = 0;
        CU_ASSERT_FALSE(same_rates(&two, &four, 32, 63));
        CU_ASSERT_EQUAL(length_learning_rate(&four, &plain, 63, 63), 0.5 * 0.1);
        CU_ASSERT_EQUAL(length_learning_rate(&four, &plain, 200, 150), 0.5 * 0.1);
    }
}

/* From sample 1024 on twice the batch: a schedule in epochs is where it was, after as many samples. */
static void a_schedule_in_epochs_goes_by_the_samples(void)
{
    struct sampler changed = plain;
    changed.batch = 128;
    changed.first_step = 16;
    changed.first_sample = 1024;
    for (double horizon = 0; horizon <= 8; horizon += 8) {
        struct job job = job_of(0, 8, horizon, SCHEDULE_EPOCHS);
        job.schedule.warmup = 2;
        for (uint64_t step = 17; step <= 70; step++) {
            double before = length_learning_rate(&job, &plain, 125, 16 + 2 * (step - 16));
            double after = length_learning_rate(&job, &changed, steps_of(8, &changed), step);
            CU_ASSERT_DOUBLE_EQUAL(after, before, 0.01);
        }
    }
}

static double rate_of(const struct job *job, uint64_t step)
{
    return length_learning_rate(job, &plain, 63, step) / job->optimizer.learning_rate;
}

/* Epochs of 15.625 steps: two end within step 32, three within 47, four within 63. */
static void only_a_horizon_in_epochs_is_rounded(void)
{
    struct job job = job_of(0, 4, 4, SCHEDULE_EPOCHS);
    job.schedule.warmup = 2;
    CU_ASSERT_DOUBLE_EQUAL(rate_of(&job, 1), 1 / 31.25, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(rate_of(&job, 31), 31 / 31.25, 1e-12);
    CU_ASSERT(rate_of(&job, 32) < 1 && rate_of(&job, 33) < rate_of(&job, 32) && rate_of(&job, 62) > 0.1);
    CU_ASSERT_EQUAL(rate_of(&job, 63), 0.1);

    struct wsd_settings wsd = {.decay = 1};
    job.schedule = (struct schedule_spec){
        .class = &schedule_wsd, .settings = &wsd, .unit = SCHEDULE_EPOCHS, .horizon = 4, .floor = 0};
    CU_ASSERT_EQUAL(rate_of(&job, 47), 1);
    CU_ASSERT_DOUBLE_EQUAL(rate_of(&job, 48), 1 - (48 - 47.375) / 15.625, 1e-12);
    CU_ASSERT_EQUAL(rate_of(&job, 63), 0);

    struct step_settings steps = {.every = 1, .gamma = 0.5};
    job.schedule = (struct schedule_spec){.class = &schedule_step, .settings = &steps, .unit = SCHEDULE_EPOCHS};
    static const uint64_t falls[] = {16, 32, 47, 63};
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(rate_of(&job, falls[i] - 1) == pow(0.5, (double)i) &&
                  rate_of(&job, falls[i]) == pow(0.5, 1.0 + (double)i));
    struct schedule_spec in_steps = {.unit = SCHEDULE_STEPS};
    CU_ASSERT_EQUAL(length_of_schedule(&in_steps, &plain, 2.5), 2.5);
    CU_ASSERT_EQUAL(length_of_schedule(&job.schedule, &plain, 0), 0);
}

static void a_length_has_words(void)
{
    static const struct {
        uint64_t steps;
        double epochs;
        const char *words;
    } cases[] = {
        {1000, 0, "1000 steps"}, {1, 0, "1 step"}, {0, 4, "4 epochs"}, {0, 1, "1 epoch"}, {0, 0.1, "0.1 epochs"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job job = job_of(cases[i].steps, cases[i].epochs, 0, SCHEDULE_STEPS);
        char text[LENGTH_BYTES];
        length_text(&job, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].words);
    }
}

static void a_schedule_moves_if_it_follows(void)
{
    struct job two = job_of(0, 2, 0, SCHEDULE_EPOCHS), four = job_of(0, 4, 0, SCHEDULE_EPOCHS);
    CU_ASSERT_FALSE(moves(&two, &two));
    CU_ASSERT_TRUE(moves(&two, &four));
    four.schedule.horizon = 4;
    CU_ASSERT_FALSE(moves(&two, &four));
    two.schedule.horizon = 4;
    CU_ASSERT_FALSE(moves(&two, &four));
    two.schedule = four.schedule = (struct schedule_spec){.class = &schedule_step};
    CU_ASSERT_FALSE(moves(&two, &four));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a job of epochs ends with the step that completes them", epochs_are_complete},
        {"a job of steps has as many", steps_are_steps},
        {"after a change of the batch the samples that are left make the steps", a_changed_batch_takes_what_is_left},
        {"more steps than can be counted are refused", too_many_are_refused},
        {"with a fixed horizon two and two epochs have the rates of four", a_fixed_horizon_makes_two_and_two_four},
        {"a schedule in epochs goes by the samples", a_schedule_in_epochs_goes_by_the_samples},
        {"of lengths in epochs only a horizon is rounded", only_a_horizon_in_epochs_is_rounded},
        {"a length has words", a_length_has_words},
        {"a schedule moves with the length if it follows it", a_schedule_moves_if_it_follows},
        {NULL, NULL},
    };
    return test_run("job/length", cases);
}
