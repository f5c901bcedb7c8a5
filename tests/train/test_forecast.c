/* What a whole job takes, by its parts. */
#include "train/forecast.h"

#include "support/test.h"

#include <math.h>
#include <stdio.h>

static struct error error;

/* A job of 1000 steps, of which each takes a second and an epoch has 100. */
static const struct forecast_parts parts = {.steps = 1000,
                                            .epoch_steps = 100,
                                            .validates = true,
                                            .start_s = 7,
                                            .step_s = 1,
                                            .validation_s = 20,
                                            .stall_s = 3,
                                            .write_s = 5,
                                            .checkpoint_bytes = 1000};

static const char base[] = "run: r\n"
                           "data: {train: {format: digits, count: 64}, validation: {format: digits, count: 16}}\n"
                           "model: [{layer: dense, units: 10}]\n"
                           "train: {steps: 1000, batch: 8, microbatch: 2}\n"
                           "optimizer: {name: sgd, learning_rate: 0.01}\n";

static void the_whole_is_the_sum_of_its_parts(void)
{
    static const struct {
        const char *settings[3];
        double period_s;
        uint64_t validations, saves, stays;
        double whole_s;
    } cases[] = {
        {{"checkpoint.minutes=0", "validate.every=0", "checkpoint.keep=2"}, 0, 0, 1, 1, 7 + 1000 + 5},
        {{"checkpoint.every=100", "validate.every=0", "checkpoint.keep=2"}, 0, 0, 10, 2, 7 + 1000 + 30 + 5},
        /* The last step is validated, too. */
        {{"checkpoint={minutes: 0, best: 0, keep: 1}", "validate.every=300"}, 0, 4, 1, 1, 7 + 1000 + 80 + 5},
        {{"checkpoint={minutes: 0, best: 2, keep: 1}", "validate.every=300"}, 0, 4, 1, 3, 7 + 1000 + 80 + 5},
        {{"checkpoint={minutes: 0, best: 0, keep: 9, on_validation: true}", "validate.every=300"},
         0,
         4,
         4,
         4,
         7 + 1000 + 80 + 12 + 5},
        {{"checkpoint={minutes: 0, best: 0, keep: 1}", "validate.every=5000"}, 0, 1, 1, 1, 7 + 1000 + 20 + 5},
        {{"checkpoint={every: 0, best: 0, keep: 2, keep_every: 250, at: [3, 5000]}", "validate.every=0"},
         0,
         0,
         5,
         5,
         7 + 1000 + 15 + 5},
        {{"checkpoint={every: auto, keep: 3, best: 0}", "validate.every=0"}, 99, 0, 10, 3, 7 + 1000 + 30 + 5},
        {{"checkpoint={every: 0, minutes: 5, keep: 3, best: 0}", "validate.every=0"}, 0, 0, 3, 3, 7 + 1000 + 9 + 5},
        /* Ten minutes without any key, beside a job that ends in less than twenty. */
        {{"checkpoint={keep: 3, best: 0}", "validate.every=0"}, 0, 0, 1, 1, 7 + 1000 + 3 + 5},
        /* The clock begins anew with each save. */
        {{"checkpoint={every: 300, minutes: 2, best: 0}", "validate.every=0"}, 0, 0, 9, 3, 7 + 1000 + 27 + 5},
        {{"checkpoint={every: 250, minutes: 5, best: 0}", "validate.every=0"}, 0, 0, 4, 3, 7 + 1000 + 12 + 5},
        {{"checkpoint={every: auto, minutes: 5, best: 0}", "validate.every=0"}, 99, 0, 10, 3, 7 + 1000 + 30 + 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job job;
        struct forecast_parts own = parts;
        size_t count = cases[i].settings[2] ? 3 : 2;
        own.period_s = cases[i].period_s;
        bool ok = job_parse(&job, "job", base, cases[i].settings, count, &error);
        if (!ok)
            printf("    %s\n", error.text);
        CU_ASSERT_TRUE_FATAL(ok);
        struct forecast cast = forecast_make(&job, &own);
        if (cast.saves != cases[i].saves || cast.stays != cases[i].stays || cast.whole_s != cases[i].whole_s)
            printf("    %s: %d saves, %d stay, %g s\n", cases[i].settings[0], (int)cast.saves, (int)cast.stays,
                   cast.whole_s);
        CU_ASSERT_EQUAL(cast.validations, cases[i].validations);
        CU_ASSERT_EQUAL(cast.saves, cases[i].saves);
        CU_ASSERT_EQUAL(cast.stays, cases[i].stays);
        CU_ASSERT_DOUBLE_EQUAL(cast.whole_s, cases[i].whole_s, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(cast.epoch_s, (cases[i].whole_s - 12) / 10, 1e-9);
        CU_ASSERT_EQUAL(cast.bytes, 1000.0 * (double)(cast.stays + 1));
        job_release(&job);
    }
}

static const struct test_case cases[] = {
    {"the whole is the sum of its parts", the_whole_is_the_sum_of_its_parts},
    {0},
};

int main(void)
{
    return test_run("train/forecast", cases);
}
