#include "base/clock.h"
#include "job/job_support.h"

/* As SMALLEST, without data. */
#define REST                                                                                                           \
    "run: a\nmodel: [{layer: dense, units: 10}]\ntrain: {steps: 2, batch: 8}\noptimizer: {name: sgd, learning_rate: 0.1}\n"

static void what_is_merged_is_there(void)
{
    struct job job;
    if (!PARSE(&job, REST "data: {train: &d {format: digits, count: 200}, validation: {<<: *d, first: 200}}\n", NULL))
        return;
    CU_ASSERT_PTR_EQUAL(job.data.validation.class, &dataset_digits);
    CU_ASSERT(SETTINGS(digits_settings, job.data.validation)->count == 200 &&
              SETTINGS(digits_settings, job.data.validation)->first == 200);
    CU_ASSERT_EQUAL(SETTINGS(digits_settings, job.data.train)->first, 0);
    check_round_trip(&job, NULL);
    job_release(&job);
}

static void own_keys_win_wherever_they_stand(void)
{
    struct job job;
    if (!PARSE(&job,
               REST "data:\n  train: &d {format: digits, count: 200, seed: 3, first: 1}\n"
                    "  validation: {count: 7, <<: *d, first: 8}\n",
               NULL))
        return;
    const struct digits_settings *spec = job.data.validation.settings;
    CU_ASSERT(spec->count == 7 && spec->first == 8 && spec->seed == 3);
    job_release(&job);
}

static void of_a_list_the_earlier_one_wins(void)
{
    struct job job;
    if (!PARSE(&job,
               REST "data:\n  train: &d {format: digits, count: 200, seed: 3}\n"
                    "  validation: {<<: [{seed: 4}, *d, {seed: 5, first: 6}]}\n",
               NULL))
        return;
    const struct digits_settings *spec = job.data.validation.settings;
    CU_ASSERT(spec->count == 200 && spec->seed == 4 && spec->first == 6);
    job_release(&job);
}

static void a_base_may_have_a_base(void)
{
    struct job job;
    if (!PARSE(&job,
               "run: a\n"
               "model:\n"
               "  - &narrow {layer: dense, units: 10, bias: false}\n"
               "  - &wide {units: 20, <<: *narrow}\n"
               "  - {<<: *wide, init: zeros}\n"
               "data: {train: {format: digits}}\ntrain: {steps: 2, batch: 8}\n"
               "optimizer: {name: sgd, learning_rate: 0.1}\n",
               NULL))
        return;
    CU_ASSERT(SETTINGS(dense, job.model.layers[0])->units == 10 && SETTINGS(dense, job.model.layers[1])->units == 20 &&
              SETTINGS(dense, job.model.layers[2])->units == 20);
    CU_ASSERT(!SETTINGS(dense, job.model.layers[2])->bias &&
              SETTINGS(dense, job.model.layers[2])->init != SETTINGS(dense, job.model.layers[1])->init);
    job_release(&job);
}

static void an_override_changes_one_of_them(void)
{
    struct job job;
    const char *yaml = REST "data: {train: &d {format: digits, count: 200}, validation: {<<: *d, first: 200}}\n";
    if (PARSE(&job, yaml, "data.validation.count=5")) {
        CU_ASSERT(SETTINGS(digits_settings, job.data.train)->count == 200 &&
                  SETTINGS(digits_settings, job.data.validation)->count == 5);
        job_release(&job);
    }
    if (PARSE(&job, yaml, "data.train.count=5")) {
        CU_ASSERT(SETTINGS(digits_settings, job.data.train)->count == 5 &&
                  SETTINGS(digits_settings, job.data.validation)->count == 200);
        job_release(&job);
    }
    if (PARSE(&job, yaml, "data.validation={<<: {count: 9, format: digits}}")) {
        CU_ASSERT(SETTINGS(digits_settings, job.data.validation)->count == 9 &&
                  SETTINGS(digits_settings, job.data.validation)->first == 0);
        job_release(&job);
    }
}

static void what_is_wrong_is_refused_with_its_place(void)
{
    static const struct refusal refusals[] = {
        {"run: a\n<<: 3\n", NULL, "job.yaml:2:5: <<: a section, or a list of sections, is expected"},
        {"run: a\n<<: [{seed: 1}, 3]\n", NULL, "job.yaml:2:17: <<: a section, or a list of sections, is expected"},
        {"run: a\ntrain: &t {<<: *t}\n", NULL, "job.yaml:2:12: <<: a section cannot be merged into itself"},
        {"run: a\ntrain: &t {<<: [{<<: *t}]}\n", NULL, "job.yaml:2:18: <<: a section cannot be merged into itself"},
        {"run: a\ntrain: {<<: {steps: 1}, <<: {steps: 2}}\n", NULL, "job.yaml:2:25: <<: this key stands here twice"},
        {REST "data: {train: &d {format: digits, colour: 3}, validation: {<<: *d}}\n", "data.train={format: digits}",
         "job.yaml:5:35: data.validation.colour: unknown key for format: digits; allowed here: format, seed, first, "
         "count, mean, std"},
        {SMALLEST, "train={<<: 3}", "--set train={<<: 3}: <<: a section, or a list of sections, is expected"},
    };
    CHECK_REFUSALS(refusals);
    struct job job;
    struct error error;
    CU_ASSERT_FALSE(job_parse(&job, "job.yaml", SMALLEST "\"<<\": {seed: 1}\n", NULL, 0, &error));
    CU_ASSERT_EQUAL(strncmp(error.text, "job.yaml:6:1: <<: unknown key", 29), 0);
}

/* Sections that merge sections that merge sections ..., and one that merges one ten thousand times. */
static void a_bomb_is_refused_at_once(void)
{
    struct text yaml = {0};
    double start = clock_seconds();
    text_append(&yaml, "a: &a {");
    for (int i = 0; i < 2000; i++)
        text_append(&yaml, "k%d: 1, ", i);
    text_append(&yaml, "}\nb: {<<: [");
    for (int i = 0; i < 10000; i++)
        text_append(&yaml, "*a, ");
    text_append(&yaml, "]}\n");
    check_refusals(
        &(struct refusal){text_bytes(&yaml), NULL, "job.yaml:2:5: <<: the merged sections of this file are too many"},
        1);
    text_release(&yaml);
    text_append(&yaml, "x0: &x0 {k: 1}\n");
    for (int i = 1; i < 200; i++)
        text_append(&yaml, "x%d: &x%d {<<: [*x%d, *x%d, *x%d], k%d: 1}\n", i, i, i - 1, i - 1, i - 1, i);
    struct job job;
    struct error error;
    CU_ASSERT_FALSE(job_parse(&job, "job.yaml", text_bytes(&yaml), NULL, 0, &error));
    text_release(&yaml);
    CU_ASSERT(clock_seconds() - start < 2);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what is merged is there", what_is_merged_is_there},
        {"own keys win, wherever they stand", own_keys_win_wherever_they_stand},
        {"of a list the earlier one wins", of_a_list_the_earlier_one_wins},
        {"a base may have a base", a_base_may_have_a_base},
        {"an override changes one of them", an_override_changes_one_of_them},
        {"what is wrong is refused with its place", what_is_wrong_is_refused_with_its_place},
        {"a bomb is refused at once", a_bomb_is_refused_at_once},
        {NULL, NULL},
    };
    return test_run("job/job_merge", cases);
}
