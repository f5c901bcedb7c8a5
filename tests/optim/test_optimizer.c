/* The optimizers against a second implementation: in double, as the papers write them. Those with a trust ratio
 * also in test_trust.c. */
#include "base/memory.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "optim/trial.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static void sgd_follows_its_definition_for_twenty_steps(void)
{
    trial_check_class(&optimizer_sgd);
}

static void adam_follows_its_definition_for_twenty_steps(void)
{
    trial_check_class(&optimizer_adam);
}

static void adamw_follows_its_paper_for_twenty_steps(void)
{
    trial_check_class(&optimizer_adamw);
}

static void one_step_of_sgd_by_hand_gives_the_numbers(void)
{
    /* All numbers exact in float. */
    float p = 2, v = 4;
    const float g = 1;
    float *const moment[OPTIMIZER_MOMENTS] = {&v};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.25, .weight_decay = 0.5, .gradient_scale = 1};
    struct sgd settings = {0};
    optimizer_sgd.update(&settings, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(p, 1.5f); /* 2 - 0.25 * (1 + 0.5 * 2) */
    CU_ASSERT_EQUAL(v, 4);    /* no momentum: not touched */
    settings.momentum = 0.5;
    p = 2;
    optimizer_sgd.update(&settings, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 4); /* 0.5 * 4 + 2 */
    CU_ASSERT_EQUAL(p, 1); /* 2 - 0.25 * 4 */
    settings.nesterov = true;
    p = 2;
    optimizer_sgd.update(&settings, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 4);
    CU_ASSERT_EQUAL(p, 1); /* 2 - 0.25 * (2 + 0.5 * 4) */
    p = 2;
    step.weight_decay = 0;
    optimizer_sgd.update(&settings, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 3);      /* 0.5 * 4 + 1 */
    CU_ASSERT_EQUAL(p, 1.375f); /* 2 - 0.25 * (1 + 0.5 * 3) */
}

static void the_first_step_of_adam_is_the_rate_whatever_the_gradient(void)
{
    /* m_hat = g and v_hat = g^2: the step is rate * sign(g), less epsilon's share. */
    static const float gradients[] = {1e-4f, -1, 1000, -1e-3f};
    static const struct optimizer_class *const classes[] = {&optimizer_adam, &optimizer_adamw};
    struct adam settings = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-12};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++) {
            struct optimizer_spec spec = {.class = classes[k], .settings = &settings};
            struct optimizer_step step = optimizer_step_at(&spec, 1);
            step.learning_rate = 0.125;
            step.gradient_scale = 1;
            float p = 1, m = 0, v = 0;
            float *const moment[OPTIMIZER_MOMENTS] = {&m, &v};
            classes[k]->update(&settings, &step, 1, &p, &gradients[i], moment);
            CU_ASSERT_DOUBLE_EQUAL((double)p, gradients[i] > 0 ? 0.875 : 1.125, 1e-6);
        }
}

static void adam_without_decay_is_adamw_without_decay(void)
{
    for (size_t i = 0; i < TRIAL_SPECS; i++) {
        if (trial_specs[i].class != &optimizer_adam)
            continue;
        struct optimizer_spec decoupled = trial_specs[i];
        decoupled.class = &optimizer_adamw;
        struct trial *adam = trial_new(), *adamw = trial_new();
        for (uint64_t t = 1; t <= TRIAL_STEPS; t++) {
            struct optimizer_step step = trial_step_at(&trial_specs[i], t, false);
            trial_draw(adam, t);
            trial_draw(adamw, t);
            trial_update(&trial_specs[i], &step, adam);
            trial_update(&decoupled, &step, adamw);
        }
        CU_ASSERT_EQUAL(memcmp(adam, adamw, sizeof *adam), 0);
        memory_free(adam);
        memory_free(adamw);
    }
}

static void decay_moves_what_decays_and_nothing_else(void)
{
    for (size_t i = 0; i < TRIAL_SPECS; i++) {
        struct trial *decayed = trial_new(), *bias = trial_new(), *still = trial_new(), *fresh = trial_new();
        for (uint64_t t = 1; t <= TRIAL_STEPS; t++) {
            struct optimizer_step step = trial_step_at(&trial_specs[i], t, true),
                                  without = trial_step_at(&trial_specs[i], t, false);
            trial_draw(decayed, t);
            trial_draw(bias, t);
            trial_update(&trial_specs[i], &step, decayed);
            trial_update(&trial_specs[i], &without, bias);
            trial_update(&trial_specs[i], &without, still); /* no gradient */
        }
        size_t same = 0;
        for (size_t e = 0; e < TRIAL_COUNT; e++)
            same += decayed->params[e] == bias->params[e];
        CU_ASSERT_EQUAL(same, trial_specs[i].weight_decay > 0 ? 0 : TRIAL_COUNT);
        CU_ASSERT_EQUAL(memcmp(still, fresh, sizeof *still), 0); /* neither gradient nor decay: nothing moves */
        memory_free(decayed);
        memory_free(bias);
        memory_free(still);
        memory_free(fresh);
    }
}

static void a_rate_of_0_freezes(void)
{
    for (size_t i = 0; i < TRIAL_SPECS; i++) {
        struct trial *s = trial_new(), *fresh = trial_new();
        for (uint64_t t = 1; t <= TRIAL_STEPS; t++) {
            struct optimizer_step step = trial_step_at(&trial_specs[i], t, true);
            step.learning_rate = 0;
            trial_draw(s, t);
            trial_update(&trial_specs[i], &step, s);
        }
        CU_ASSERT_EQUAL(memcmp(s->params, fresh->params, sizeof s->params), 0);
        memory_free(s);
        memory_free(fresh);
    }
}

/* Shards begin and end anywhere: vector body or tail, aligned or not, an element's bits must not depend on it. */
static void shards_of_any_length_give_the_bits_of_the_whole(void)
{
    static const size_t lengths[][4] = {
        {1, 1, 1, 1},   {15, 15, 15, 15}, {16, 16, 16, 16},           {17, 17, 17, 17},        {1, 15, 16, 17},
        {17, 0, 1, 64}, {3, 100, 7, 2},   {TRIAL_COUNT - 1, 1, 1, 1}, {100, TRIAL_COUNT, 0, 0}};
    for (size_t i = 0; i < TRIAL_SPECS; i++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            struct trial *whole = trial_new(), *shards = trial_new();
            for (uint64_t t = 1; t <= 5; t++) {
                struct optimizer_step step = trial_step_at(&trial_specs[i], t, true);
                step.gradient_scale = 0.7f;
                trial_draw(whole, t);
                trial_draw(shards, t);
                trial_update(&trial_specs[i], &step, whole);
                trial_update_shards(&trial_specs[i], &step, 0, TRIAL_COUNT, lengths[l], shards);
            }
            CU_ASSERT_EQUAL(memcmp(whole, shards, sizeof *whole), 0);
            memory_free(whole);
            memory_free(shards);
        }
}

static void only_the_given_range_is_written(void)
{
    static const size_t whole[4] = {TRIAL_COUNT, TRIAL_COUNT, TRIAL_COUNT, TRIAL_COUNT};
    for (size_t i = 0; i < TRIAL_SPECS; i++) {
        struct trial *s = trial_new(), *before = memory_need(1, sizeof *before);
        trial_draw(s, 1);
        memset(s->moment, 0x3f, sizeof s->moment);
        memcpy(before, s, sizeof *s);
        struct optimizer_step step = trial_step_at(&trial_specs[i], 1, true);
        for (int directs = !trial_is_elementwise(&trial_specs[i]); directs >= 0; directs--)
            trial_call(&trial_specs[i], &step, directs, 33, 0, s);
        CU_ASSERT_EQUAL(memcmp(s, before, sizeof *s), 0);
        trial_update_shards(&trial_specs[i], &step, 33, 83, whole, s);
        size_t outside = 0, unmoved = 0, changed = 0;
        for (size_t e = 0; e < TRIAL_COUNT; e++) {
            bool moved = s->params[e] != before->params[e], inside = e >= 33 && e < 83;
            for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
                outside += !inside && s->moment[k][e] != before->moment[k][e];
            outside += !inside && (moved || s->gradient[e] != before->gradient[e]);
            unmoved += inside && !moved && before->gradient[e] != 0;
            changed += s->gradient[e] != before->gradient[e];
        }
        CU_ASSERT_EQUAL(outside, 0);
        CU_ASSERT_TRUE(unmoved < 25); /* a gradient of 1e-6 may be less than a rounding */
        CU_ASSERT_TRUE(!trial_is_elementwise(&trial_specs[i]) || changed == 0);
        memory_free(s);
        memory_free(before);
    }
}

static void the_gradient_is_scaled_before_anything_else(void)
{
    static const float scales[] = {0.5f, 0.3f, 1e-3f, 0};
    for (size_t i = 0; i < TRIAL_SPECS; i++)
        for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
            struct trial *scaled = trial_new(), *small = trial_new();
            for (uint64_t t = 1; t <= 5; t++) {
                struct optimizer_step one = trial_step_at(&trial_specs[i], t, true), step = one;
                step.gradient_scale = scales[k];
                trial_draw(scaled, t);
                for (size_t e = 0; e < TRIAL_COUNT; e++)
                    small->gradient[e] = scales[k] * scaled->gradient[e];
                trial_update(&trial_specs[i], &step, scaled);
                trial_update(&trial_specs[i], &one, small);
            }
            CU_ASSERT_EQUAL(memcmp(scaled->params, small->params, sizeof small->params), 0);
            CU_ASSERT_EQUAL(memcmp(scaled->moment, small->moment, sizeof small->moment), 0);
            memory_free(scaled);
            memory_free(small);
        }
}

/* And all others of its tensor if a norm is a part of the step. */
static void a_nan_in_the_gradient_reaches_its_parameter(void)
{
    for (size_t i = 0; i < TRIAL_SPECS; i++) {
        struct trial *s = trial_new();
        struct optimizer_step step = trial_step_at(&trial_specs[i], 1, true);
        trial_draw(s, 1);
        s->gradient[20] = NAN;
        trial_update(&trial_specs[i], &step, s);
        size_t nans = 0;
        for (size_t e = 0; e < TRIAL_COUNT; e++)
            nans += isnan(s->params[e]) != 0;
        CU_ASSERT_EQUAL(nans, trial_is_elementwise(&trial_specs[i]) ? 1 : TRIAL_COUNT);
        CU_ASSERT_TRUE(isnan(s->params[20]));
        memory_free(s);
    }
}

static void the_moments_that_are_needed_have_names(void)
{
    static const char *const expected[TRIAL_SPECS] = {"",
                                                      "",
                                                      "sgd.momentum ",
                                                      "sgd.momentum ",
                                                      "sgd.momentum ",
                                                      "sgd.momentum ",
                                                      "adam.m adam.v ",
                                                      "adam.m adam.v ",
                                                      "adam.m adam.v ",
                                                      "adamw.m adamw.v ",
                                                      "adamw.m adamw.v ",
                                                      "adamw.m adamw.v ",
                                                      "adamw.m adamw.v ",
                                                      "lamb.m lamb.v ",
                                                      "lamb.m lamb.v ",
                                                      "lamb.m lamb.v ",
                                                      "",
                                                      "",
                                                      "lars.momentum ",
                                                      "lars.momentum "};
    for (size_t i = 0; i < TRIAL_SPECS; i++) {
        const char *const *moments = trial_specs[i].class->moments(trial_specs[i].settings);
        char names[64] = "";
        size_t count = 0;
        for (; moments[count]; count++) {
            strcat(names, moments[count]);
            strcat(names, " ");
        }
        CU_ASSERT_TRUE(count <= OPTIMIZER_MOMENTS);
        CU_ASSERT_STRING_EQUAL(names, expected[i]);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"SGD follows its definition for twenty steps", sgd_follows_its_definition_for_twenty_steps},
        {"Adam follows its definition for twenty steps", adam_follows_its_definition_for_twenty_steps},
        {"AdamW follows its paper for twenty steps", adamw_follows_its_paper_for_twenty_steps},
        {"one step of SGD by hand gives the numbers", one_step_of_sgd_by_hand_gives_the_numbers},
        {"the first step of Adam and AdamW is the rate, whatever the gradient",
         the_first_step_of_adam_is_the_rate_whatever_the_gradient},
        {"Adam without decay is AdamW without decay", adam_without_decay_is_adamw_without_decay},
        {"decay moves what decays and nothing else", decay_moves_what_decays_and_nothing_else},
        {"a rate of 0 freezes", a_rate_of_0_freezes},
        {"shards of any length give the bits of the whole", shards_of_any_length_give_the_bits_of_the_whole},
        {"only the given range is written", only_the_given_range_is_written},
        {"the gradient is scaled before anything else", the_gradient_is_scaled_before_anything_else},
        {"NaN in the gradient reaches its parameter", a_nan_in_the_gradient_reaches_its_parameter},
        {"the moments that are needed have names", the_moments_that_are_needed_have_names},
        {NULL, NULL},
    };
    return test_run("optim/optimizer", cases);
}
