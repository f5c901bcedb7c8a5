/* --stop-after: what is understood, and which step is the last. */
#include "policy/pause.h"

#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct sampler sampler = {.seed = 1, .samples = 1000, .batch = 64}; /* 15.625 steps an epoch */

static struct pause pause_of(const char *text, const struct sampler *of, uint64_t step, double now_s)
{
    struct pause_spec spec = {0};
    struct error error = {0};
    CU_ASSERT_TRUE(pause_parse(text, &spec, &error));
    return pause_begin(&spec, of, step, now_s);
}

static void lengths_are_understood(void)
{
    static const struct {
        const char *text;
        enum pause_unit unit;
        double amount;
    } cases[] = {
        {"500steps", PAUSE_STEPS, 500}, {"1step", PAUSE_STEPS, 1},          {"2epochs", PAUSE_EPOCHS, 2},
        {"1epoch", PAUSE_EPOCHS, 1},    {"0.25epochs", PAUSE_EPOCHS, 0.25}, {"90s", PAUSE_SECONDS, 90},
        {"30min", PAUSE_SECONDS, 1800}, {"1.5h", PAUSE_SECONDS, 5400},      {".5h", PAUSE_SECONDS, 1800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pause_spec spec = {0};
        struct error error = {0};
        CU_ASSERT_TRUE(pause_parse(cases[i].text, &spec, &error));
        CU_ASSERT_EQUAL(spec.unit, cases[i].unit);
        CU_ASSERT_EQUAL(spec.amount, cases[i].amount);
    }
}

static void other_words_are_refused(void)
{
    static const char *const texts[] = {"",        "30",       "steps",    "0steps", "-1steps", "+1steps",  " 1steps",
                                        "1 steps", "1.5steps", "1e3steps", "0x5s",   "2weeks",  "2EPOCHS",  "infs",
                                        "nanh",    "1.2.3h",   "0min",     "min",    ".s",      "30minutes"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct pause_spec spec = {0};
        struct error error = {0};
        bool ok = pause_parse(texts[i], &spec, &error);
        if (ok)
            printf("    taken: '%s'\n", texts[i]);
        CU_ASSERT_FALSE(ok);
        CU_ASSERT_EQUAL(spec.unit, PAUSE_NEVER);
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    }
}

static void without_a_request_there_is_no_pause(void)
{
    const struct pause_spec never = {0};
    struct pause pause = pause_begin(&never, &sampler, 7, 1e9);
    CU_ASSERT_EQUAL(pause_flags(&pause, 0, 1000000000, 1e300), 0);
}

static void steps_count_from_the_start_of_the_run(void)
{
    struct pause pause = pause_of("5steps", &sampler, 7, 0);
    CU_ASSERT_EQUAL(pause.step, 12);
    for (int rank = 0; rank < 2; rank++) {
        CU_ASSERT_EQUAL(pause_flags(&pause, rank, 11, 1e9), 0);
        CU_ASSERT_EQUAL(pause_flags(&pause, rank, 12, 0), LEAVE_PAUSE);
    }
    pause = pause_of("99999999999999999999999999steps", &sampler, 7, 0);
    CU_ASSERT_EQUAL(pause.step, UINT64_MAX);
}

static void epochs_end_where_those_of_the_job_end(void)
{
    static const uint64_t ends[] = {0, 16, 32, 47, 63, 79, 94, 110, 125}; /* k * 15.625, rounded up */
    for (size_t epoch = 0; epoch + 1 < sizeof ends / sizeof *ends; epoch++)
        CU_ASSERT_EQUAL(pause_of("1epochs", &sampler, ends[epoch], 0).step, ends[epoch + 1]);
    for (size_t epoch = 0; epoch + 2 < sizeof ends / sizeof *ends; epoch++)
        CU_ASSERT_EQUAL(pause_of("2epochs", &sampler, ends[epoch], 0).step, ends[epoch + 2]);
    CU_ASSERT_EQUAL(pause_of("1epochs", &sampler, 10, 0).step, 26); /* 640 + 1000 samples are 25.6 steps */
    CU_ASSERT_EQUAL(pause_of("0.5epochs", &sampler, 0, 0).step, 8);
    CU_ASSERT_EQUAL(pause_of("0.0001epochs", &sampler, 10, 0).step, 10);
}

static void epochs_know_of_a_changed_batch(void)
{
    struct sampler changed = {.seed = 1, .samples = 1000, .batch = 100, .first_step = 16, .first_sample = 1024};
    CU_ASSERT_EQUAL(pause_of("1epochs", &changed, 16, 0).step, 26); /* from 1000 on: 976 samples are 10 steps */
    CU_ASSERT_EQUAL(pause_of("1epochs", &changed, 18, 0).step, 28); /* from 1224 on */
}

static void time_is_that_of_rank_0(void)
{
    struct pause pause = pause_of("2min", &sampler, 7, 1000);
    CU_ASSERT_EQUAL(pause.step, UINT64_MAX);
    CU_ASSERT_EQUAL(pause_flags(&pause, 0, 8, 1119.9), 0);
    CU_ASSERT_EQUAL(pause_flags(&pause, 0, 8, 1120), LEAVE_PAUSE);
    CU_ASSERT_EQUAL(pause_flags(&pause, 1, 8, 5000), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"steps, epochs, seconds, minutes and hours are understood", lengths_are_understood},
        {"other words are refused", other_words_are_refused},
        {"without a request there is no pause", without_a_request_there_is_no_pause},
        {"steps count from the start of the run", steps_count_from_the_start_of_the_run},
        {"pieces of whole epochs end where the epochs of the job end", epochs_end_where_those_of_the_job_end},
        {"epochs know of a changed batch", epochs_know_of_a_changed_batch},
        {"time is that of rank 0", time_is_that_of_rank_0},
        {NULL, NULL},
    };
    return test_run("policy/pause", cases);
}
