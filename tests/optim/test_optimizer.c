/* The optimizers against a second implementation: one element at a time, in double, as the papers write them. */
#include "base/memory.h"
#include "base/rng.h"
#include "optim/optimizer.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 203, STEPS = 20 };

static const struct optimizer_spec specs[] = {
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.05},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.05, .weight_decay = 0.1},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.9},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.9, .weight_decay = 0.1},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.9, .nesterov = true},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.8, .nesterov = true, .weight_decay = 0.1},
    {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
    {.kind = OPTIMIZER_ADAMW,
     .learning_rate = 0.01,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .epsilon = 1e-8,
     .weight_decay = 0.1},
    {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.3},
    {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.01, .beta1 = 0, .beta2 = 0.9, .epsilon = 1e-8},
};
enum { SPECS = sizeof specs / sizeof *specs };

struct state {
    float params[COUNT], gradient[COUNT], moment[OPTIMIZER_MOMENTS][COUNT];
};

/* Away from 0, so that relative errors mean something; of both signs. */
static struct state *state_new(void)
{
    struct state *s = memory_need(1, sizeof *s);
    for (size_t i = 0; i < COUNT; i++)
        s->params[i] = (i % 2 ? -1 : 1) * (1 + rng_uniform(rng_key(1, "params"), i));
    return s;
}

/* Another gradient at every step: of one direction and several magnitudes, with noise; every 10th element has none. */
static void state_draw(struct state *s, uint64_t step)
{
    static const float magnitudes[] = {1, 1e-3f, 0.1f, 1e-6f, 2};
    for (size_t i = 0; i < COUNT; i++) {
        float noise = 2 * rng_uniform(rng_key(step, "gradient"), i) - 1;
        s->gradient[i] = i % 10 == 9 ? 0 : magnitudes[i % 5] * (noise + 0.25f);
    }
}

static struct optimizer_step at_step(const struct optimizer_spec *spec, uint64_t step)
{
    /* As a schedule would have it: another rate at every step. */
    return (struct optimizer_step){
        .step = step, .learning_rate = spec->learning_rate * (1 - 0.02 * (double)step), .gradient_scale = 1};
}

/* One step on elements [first, first + count). Moments that the settings do not name are not given. */
static void update(const struct optimizer_spec *spec, const struct optimizer_step *step, bool decays, size_t first,
                   size_t count, struct state *s)
{
    const struct optimizer_class *class = optimizer_classes[spec->kind];
    float *moment[OPTIMIZER_MOMENTS] = {NULL};
    for (size_t k = 0; class->moments(spec)[k]; k++)
        moment[k] = s->moment[k] + first;
    class->update(spec, step, decays, count, s->params + first, s->gradient + first, moment);
}

/* ---- the second implementation ---- */

/* torch.optim.SGD's documented algorithm, which is Sutskever et al. 2013 with the rate outside. */
static void reference_sgd(const struct optimizer_spec *spec, const struct optimizer_step *step, double decay, double *p,
                          double g, double *v)
{
    g += decay * *p;
    *v = spec->momentum * *v + g;
    if (spec->nesterov)
        g += spec->momentum * *v;
    else if (spec->momentum > 0)
        g = *v;
    *p -= step->learning_rate * g;
}

/* Loshchilov and Hutter 2019, algorithm 2, lines 6 to 12; the decay times the rate. */
static void reference_adamw(const struct optimizer_spec *spec, const struct optimizer_step *step, double decay,
                            double *p, double g, double *m, double *v)
{
    *m = spec->beta1 * *m + (1 - spec->beta1) * g;
    *v = spec->beta2 * *v + (1 - spec->beta2) * g * g;
    double m_hat = *m / (1 - pow(spec->beta1, (double)step->step));
    double v_hat = *v / (1 - pow(spec->beta2, (double)step->step));
    *p -= step->learning_rate * (m_hat / (sqrt(v_hat) + spec->epsilon) + decay * *p);
}

/* The largest relative error of a parameter over STEPS steps. */
static double error_of(const struct optimizer_spec *spec, bool decays)
{
    double p[COUNT], m[COUNT] = {0}, v[COUNT] = {0}, largest = 0;
    struct state *s = state_new();
    for (size_t i = 0; i < COUNT; i++)
        p[i] = (double)s->params[i];
    for (uint64_t t = 1; t <= STEPS; t++) {
        struct optimizer_step step = at_step(spec, t);
        state_draw(s, t);
        update(spec, &step, decays, 0, COUNT, s);
        for (size_t i = 0; i < COUNT; i++) {
            double decay = decays ? spec->weight_decay : 0;
            if (spec->kind == OPTIMIZER_SGD)
                reference_sgd(spec, &step, decay, &p[i], (double)s->gradient[i], &m[i]);
            else
                reference_adamw(spec, &step, decay, &p[i], (double)s->gradient[i], &m[i], &v[i]);
            double error = fabs((double)s->params[i] - p[i]) / fabs(p[i]);
            largest = error <= largest ? largest : error; /* NaN counts */
        }
    }
    memory_free(s);
    return largest;
}

static void check_kind(enum optimizer_kind kind)
{
    for (size_t i = 0; i < SPECS; i++)
        for (int decays = 0; decays <= 1 && specs[i].kind == kind; decays++) {
            double error = error_of(&specs[i], decays);
            CU_ASSERT_TRUE(error <= 1e-5);
            if (!(error <= 1e-5))
                printf("\n    settings %zu, %s decay: relative error %g", i, decays ? "with" : "without", error);
        }
}

static void sgd_follows_its_definition_for_twenty_steps(void)
{
    check_kind(OPTIMIZER_SGD);
}

static void adamw_follows_its_paper_for_twenty_steps(void)
{
    check_kind(OPTIMIZER_ADAMW);
}

static void one_step_by_hand_gives_the_numbers(void)
{
    /* All numbers exact in float. */
    float p = 2, v = 4;
    const float g = 1;
    float *const moment[OPTIMIZER_MOMENTS] = {&v};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.25, .gradient_scale = 1};
    struct optimizer_spec spec = {.kind = OPTIMIZER_SGD, .weight_decay = 0.5};
    optimizer_sgd.update(&spec, &step, true, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(p, 1.5f); /* 2 - 0.25 * (1 + 0.5 * 2) */
    CU_ASSERT_EQUAL(v, 4);    /* no momentum: not touched */
    spec.momentum = 0.5;
    p = 2;
    optimizer_sgd.update(&spec, &step, true, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 4); /* 0.5 * 4 + 2 */
    CU_ASSERT_EQUAL(p, 1); /* 2 - 0.25 * 4 */
    spec.nesterov = true;
    p = 2;
    optimizer_sgd.update(&spec, &step, true, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 4);
    CU_ASSERT_EQUAL(p, 1); /* 2 - 0.25 * (2 + 0.5 * 4) */
    p = 2;
    optimizer_sgd.update(&spec, &step, false, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 3);      /* 0.5 * 4 + 1 */
    CU_ASSERT_EQUAL(p, 1.375f); /* 2 - 0.25 * (1 + 0.5 * 3) */
}

static void the_first_step_of_adamw_is_the_rate_whatever_the_gradient(void)
{
    /* m_hat = g and v_hat = g^2: the step is rate * sign(g), less epsilon's share. */
    static const float gradients[] = {1e-4f, -1, 1000, -1e-3f};
    struct optimizer_spec spec = {.kind = OPTIMIZER_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-12};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.125, .gradient_scale = 1};
    for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++) {
        float p = 1, m = 0, v = 0;
        float *const moment[OPTIMIZER_MOMENTS] = {&m, &v};
        optimizer_adamw.update(&spec, &step, true, 1, &p, &gradients[i], moment);
        CU_ASSERT_DOUBLE_EQUAL((double)p, gradients[i] > 0 ? 0.875 : 1.125, 1e-6);
    }
}

static void decay_moves_what_decays_and_nothing_else(void)
{
    for (size_t i = 0; i < SPECS; i++) {
        struct optimizer_spec without = specs[i];
        without.weight_decay = 0;
        struct state *decayed = state_new(), *bias = state_new(), *plain = state_new(), *still = state_new();
        for (uint64_t t = 1; t <= STEPS; t++) {
            struct optimizer_step step = at_step(&specs[i], t);
            state_draw(decayed, t);
            memcpy(bias->gradient, decayed->gradient, sizeof bias->gradient);
            memcpy(plain->gradient, decayed->gradient, sizeof plain->gradient);
            update(&specs[i], &step, true, 0, COUNT, decayed);
            update(&specs[i], &step, false, 0, COUNT, bias);
            update(&without, &step, true, 0, COUNT, plain);
            update(&specs[i], &step, false, 0, COUNT, still); /* no gradient */
        }
        CU_ASSERT_EQUAL(memcmp(bias, plain, sizeof *bias), 0);
        size_t same = 0;
        for (size_t e = 0; e < COUNT; e++)
            same += decayed->params[e] == bias->params[e];
        CU_ASSERT_EQUAL(same, specs[i].weight_decay > 0 ? 0 : COUNT);
        struct state *fresh = state_new();
        CU_ASSERT_EQUAL(memcmp(still, fresh, sizeof *still), 0); /* neither gradient nor decay: nothing moves */
        memory_free(decayed);
        memory_free(bias);
        memory_free(plain);
        memory_free(still);
        memory_free(fresh);
    }
}

/* Shards begin and end anywhere: vector body or tail, aligned or not, an element's bits must not depend on it. */
static void pieces_of_any_length_give_the_bits_of_the_whole(void)
{
    static const size_t lengths[][4] = {{1, 1, 1, 1},    {15, 15, 15, 15}, {16, 16, 16, 16}, {17, 17, 17, 17},
                                        {1, 15, 16, 17}, {17, 0, 1, 64},   {3, 100, 7, 2},   {COUNT - 1, 1, 1, 1}};
    for (size_t i = 0; i < SPECS; i++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            struct state *whole = state_new(), *pieces = state_new();
            for (uint64_t t = 1; t <= 5; t++) {
                struct optimizer_step step = at_step(&specs[i], t);
                step.gradient_scale = 0.7f;
                state_draw(whole, t);
                state_draw(pieces, t);
                update(&specs[i], &step, true, 0, COUNT, whole);
                for (size_t first = 0, n = 0; first < COUNT; n++) {
                    size_t length = lengths[l][n % 4] < COUNT - first ? lengths[l][n % 4] : COUNT - first;
                    update(&specs[i], &step, true, first, length, pieces);
                    first += length;
                }
            }
            CU_ASSERT_EQUAL(memcmp(whole, pieces, sizeof *whole), 0);
            memory_free(whole);
            memory_free(pieces);
        }
}

static void only_the_given_range_is_written(void)
{
    for (size_t i = 0; i < SPECS; i++) {
        struct state *s = state_new(), *before = memory_need(1, sizeof *before);
        state_draw(s, 1);
        memset(s->moment, 0x3f, sizeof s->moment);
        memcpy(before, s, sizeof *s);
        struct optimizer_step step = at_step(&specs[i], 1);
        update(&specs[i], &step, true, 33, 0, s);
        CU_ASSERT_EQUAL(memcmp(s, before, sizeof *s), 0);
        update(&specs[i], &step, true, 33, 50, s);
        size_t outside = 0, unmoved = 0;
        for (size_t e = 0; e < COUNT; e++) {
            bool moved = s->params[e] != before->params[e], inside = e >= 33 && e < 83;
            for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
                outside += !inside && s->moment[k][e] != before->moment[k][e];
            outside += !inside && moved;
            unmoved += inside && !moved && s->gradient[e] != 0;
        }
        CU_ASSERT_EQUAL(outside, 0);
        CU_ASSERT_TRUE(unmoved < 25); /* a gradient of 1e-6 may be less than a rounding */
        CU_ASSERT_EQUAL(memcmp(s->gradient, before->gradient, sizeof s->gradient), 0);
        memory_free(s);
        memory_free(before);
    }
}

static void the_gradient_is_scaled_before_anything_else(void)
{
    static const float scales[] = {0.5f, 0.3f, 1e-3f, 0};
    for (size_t i = 0; i < SPECS; i++)
        for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
            struct state *scaled = state_new(), *small = state_new();
            for (uint64_t t = 1; t <= 5; t++) {
                struct optimizer_step one = at_step(&specs[i], t), step = one;
                step.gradient_scale = scales[k];
                state_draw(scaled, t);
                for (size_t e = 0; e < COUNT; e++)
                    small->gradient[e] = scales[k] * scaled->gradient[e];
                update(&specs[i], &step, true, 0, COUNT, scaled);
                update(&specs[i], &one, true, 0, COUNT, small);
            }
            CU_ASSERT_EQUAL(memcmp(scaled->params, small->params, sizeof small->params), 0);
            CU_ASSERT_EQUAL(memcmp(scaled->moment, small->moment, sizeof small->moment), 0);
            memory_free(scaled);
            memory_free(small);
        }
}

static void a_nan_in_the_gradient_reaches_its_parameter_only(void)
{
    for (size_t i = 0; i < SPECS; i++) {
        struct state *s = state_new();
        struct optimizer_step step = at_step(&specs[i], 1);
        state_draw(s, 1);
        s->gradient[20] = NAN;
        update(&specs[i], &step, true, 0, COUNT, s);
        size_t nans = 0;
        for (size_t e = 0; e < COUNT; e++)
            nans += isnan(s->params[e]) != 0;
        CU_ASSERT_EQUAL(nans, 1);
        CU_ASSERT_TRUE(isnan(s->params[20]));
        memory_free(s);
    }
}

static void every_kind_says_its_moments(void)
{
    CU_ASSERT_PTR_NULL(optimizer_classes[OPTIMIZER_NONE]);
    for (size_t i = 0; i < SPECS; i++) {
        const char *const *names = optimizer_classes[specs[i].kind]->moments(&specs[i]);
        if (specs[i].kind == OPTIMIZER_SGD && specs[i].momentum > 0) {
            CU_ASSERT_STRING_EQUAL(names[0], "sgd.momentum");
            CU_ASSERT_PTR_NULL(names[1]);
        } else if (specs[i].kind == OPTIMIZER_SGD) {
            CU_ASSERT_PTR_NULL(names[0]);
        } else {
            CU_ASSERT_STRING_EQUAL(names[0], "adamw.m");
            CU_ASSERT_STRING_EQUAL(names[1], "adamw.v");
            CU_ASSERT_PTR_NULL(names[2]);
        }
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"SGD follows its definition for twenty steps", sgd_follows_its_definition_for_twenty_steps},
        {"AdamW follows its paper for twenty steps", adamw_follows_its_paper_for_twenty_steps},
        {"one step of SGD by hand gives the numbers", one_step_by_hand_gives_the_numbers},
        {"the first step of AdamW is the rate, whatever the gradient",
         the_first_step_of_adamw_is_the_rate_whatever_the_gradient},
        {"decay moves what decays and nothing else", decay_moves_what_decays_and_nothing_else},
        {"pieces of any length give the bits of the whole", pieces_of_any_length_give_the_bits_of_the_whole},
        {"only the given range is written", only_the_given_range_is_written},
        {"the gradient is scaled before anything else", the_gradient_is_scaled_before_anything_else},
        {"NaN in the gradient reaches its parameter only", a_nan_in_the_gradient_reaches_its_parameter_only},
        {"every kind says its moments", every_kind_says_its_moments},
        {NULL, NULL},
    };
    return test_run("optim/optimizer", cases);
}
