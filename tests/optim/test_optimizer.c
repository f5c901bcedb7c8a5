/* The optimizers against a second implementation: in double, as the papers write them. */
#include "base/memory.h"
#include "base/rng.h"
#include "optim/optimizer.h"
#include "optim/reference.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 203, STEPS = 20, BLOCK = 29 };

#define ADAM .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8

static const struct optimizer_spec specs[] = {
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.05},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.05, .weight_decay = 0.1},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.9},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.9, .weight_decay = 0.1},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.9, .nesterov = true},
    {.kind = OPTIMIZER_SGD, .learning_rate = 0.01, .momentum = 0.8, .nesterov = true, .weight_decay = 0.1},
    {.kind = OPTIMIZER_ADAM, .learning_rate = 0.01, ADAM},
    {.kind = OPTIMIZER_ADAM, .learning_rate = 0.01, ADAM, .weight_decay = 0.1},
    {.kind = OPTIMIZER_ADAM, .learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.3},
    {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.01, ADAM},
    {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.01, ADAM, .weight_decay = 0.1},
    {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.3},
    {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.01, .beta1 = 0, .beta2 = 0.9, .epsilon = 1e-8},
    {.kind = OPTIMIZER_LAMB, .learning_rate = 0.01, ADAM},
    {.kind = OPTIMIZER_LAMB, .learning_rate = 0.01, ADAM, .weight_decay = 0.1},
    {.kind = OPTIMIZER_LAMB, .learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.3},
    {.kind = OPTIMIZER_LARS, .learning_rate = 1, .trust = 0.01},
    {.kind = OPTIMIZER_LARS, .learning_rate = 1, .trust = 0.01, .weight_decay = 0.1, .epsilon = 1e-8},
    {.kind = OPTIMIZER_LARS, .learning_rate = 1, .trust = 0.002, .momentum = 0.9},
    {.kind = OPTIMIZER_LARS, .learning_rate = 1, .trust = 0.002, .momentum = 0.9, .weight_decay = 0.1, .epsilon = 0.5},
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

static struct optimizer_step at_step(const struct optimizer_spec *spec, uint64_t step, bool decays)
{
    /* As a schedule would have it: another rate at every step. No trust: whoever needs one has to ask for it. */
    struct optimizer_step numbers = optimizer_step_at(spec, step);
    numbers.learning_rate = spec->learning_rate * (1 - 0.02 * (double)step);
    numbers.weight_decay = optimizer_decay(spec, NULL, decays);
    numbers.gradient_scale = 1;
    numbers.trust = (double)NAN;
    return numbers;
}

static bool elementwise(const struct optimizer_spec *spec)
{
    return !optimizer_classes[spec->kind]->direction;
}

/* Euclidean, by blocks that do not depend on shards. */
static double norm(size_t count, const float *x)
{
    double sum = 0;
    for (size_t first = 0; first < count; first += BLOCK) {
        double block = 0;
        for (size_t i = first; i < count && i < first + BLOCK; i++)
            block += (double)x[i] * (double)x[i];
        sum += block;
    }
    return sqrt(sum);
}

/* Calls direction, or update, on elements [first, first + count). Moments that the settings do not name are not given.
 */
static void call(const struct optimizer_spec *spec, const struct optimizer_step *step, bool directs, size_t first,
                 size_t count, struct state *s)
{
    const struct optimizer_class *class = optimizer_classes[spec->kind];
    float *moment[OPTIMIZER_MOMENTS] = {NULL};
    for (size_t k = 0; class->moments(spec)[k]; k++)
        moment[k] = s->moment[k] + first;
    if (directs)
        class->direction(spec, step, count, s->params + first, s->gradient + first, moment);
    else
        class->update(spec, step, count, s->params + first, s->gradient + first, moment);
}

/* One step on a tensor, elements [first, end), in shards of the lengths, again and again: each shard takes its
 * direction; the norms of the whole give the trust ratio; each shard is updated. */
static void update_shards(const struct optimizer_spec *spec, const struct optimizer_step *given, size_t first,
                          size_t end, const size_t lengths[4], struct state *s)
{
    struct optimizer_step step = *given;
    for (int directs = !elementwise(spec); directs >= 0; directs--) {
        for (size_t at = first, n = 0; at < end; n++) {
            size_t length = lengths[n % 4] < end - at ? lengths[n % 4] : end - at;
            call(spec, &step, directs, at, length, s);
            at += length;
        }
        if (directs)
            step.trust = optimizer_classes[spec->kind]->trust(spec, &step, norm(end - first, s->params + first),
                                                              norm(end - first, s->gradient + first));
    }
}

static void update(const struct optimizer_spec *spec, const struct optimizer_step *step, struct state *s)
{
    static const size_t whole[4] = {COUNT, COUNT, COUNT, COUNT};
    update_shards(spec, step, 0, COUNT, whole, s);
}

/* The largest relative error of a parameter over STEPS steps. */
static double error_of(const struct optimizer_spec *spec, bool decays)
{
    double p[COUNT], g[COUNT], m[COUNT] = {0}, v[COUNT] = {0}, largest = 0;
    struct state *s = state_new();
    for (size_t i = 0; i < COUNT; i++)
        p[i] = (double)s->params[i];
    for (uint64_t t = 1; t <= STEPS; t++) {
        struct optimizer_step step = at_step(spec, t, decays);
        step.gradient_scale = 0.75f;
        state_draw(s, t);
        for (size_t i = 0; i < COUNT; i++)
            g[i] = 0.75 * (double)s->gradient[i];
        reference_step(spec, &step, COUNT, p, g, m, v);
        update(spec, &step, s);
        for (size_t i = 0; i < COUNT; i++) {
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

static void adam_follows_its_definition_for_twenty_steps(void)
{
    check_kind(OPTIMIZER_ADAM);
}

static void adamw_follows_its_paper_for_twenty_steps(void)
{
    check_kind(OPTIMIZER_ADAMW);
}

static void lamb_follows_its_paper_for_twenty_steps(void)
{
    check_kind(OPTIMIZER_LAMB);
}

static void lars_follows_its_paper_for_twenty_steps(void)
{
    check_kind(OPTIMIZER_LARS);
}

static void one_step_of_sgd_by_hand_gives_the_numbers(void)
{
    /* All numbers exact in float. */
    float p = 2, v = 4;
    const float g = 1;
    float *const moment[OPTIMIZER_MOMENTS] = {&v};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.25, .weight_decay = 0.5, .gradient_scale = 1};
    struct optimizer_spec spec = {.kind = OPTIMIZER_SGD};
    optimizer_sgd.update(&spec, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(p, 1.5f); /* 2 - 0.25 * (1 + 0.5 * 2) */
    CU_ASSERT_EQUAL(v, 4);    /* no momentum: not touched */
    spec.momentum = 0.5;
    p = 2;
    optimizer_sgd.update(&spec, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 4); /* 0.5 * 4 + 2 */
    CU_ASSERT_EQUAL(p, 1); /* 2 - 0.25 * 4 */
    spec.nesterov = true;
    p = 2;
    optimizer_sgd.update(&spec, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 4);
    CU_ASSERT_EQUAL(p, 1); /* 2 - 0.25 * (2 + 0.5 * 4) */
    p = 2;
    step.weight_decay = 0;
    optimizer_sgd.update(&spec, &step, 1, &p, &g, moment);
    CU_ASSERT_EQUAL(v, 3);      /* 0.5 * 4 + 1 */
    CU_ASSERT_EQUAL(p, 1.375f); /* 2 - 0.25 * (1 + 0.5 * 3) */
}

static void the_first_step_of_adam_is_the_rate_whatever_the_gradient(void)
{
    /* m_hat = g and v_hat = g^2: the step is rate * sign(g), less epsilon's share. */
    static const float gradients[] = {1e-4f, -1, 1000, -1e-3f};
    static const enum optimizer_kind kinds[] = {OPTIMIZER_ADAM, OPTIMIZER_ADAMW};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++) {
            struct optimizer_spec spec = {.kind = kinds[k], .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-12};
            struct optimizer_step step = optimizer_step_at(&spec, 1);
            step.learning_rate = 0.125;
            step.gradient_scale = 1;
            float p = 1, m = 0, v = 0;
            float *const moment[OPTIMIZER_MOMENTS] = {&m, &v};
            optimizer_classes[kinds[k]]->update(&spec, &step, 1, &p, &gradients[i], moment);
            CU_ASSERT_DOUBLE_EQUAL((double)p, gradients[i] > 0 ? 0.875 : 1.125, 1e-6);
        }
}

static void one_step_of_lamb_by_hand_gives_the_numbers(void)
{
    /* Without betas the direction is sign(g) + decay * p. All numbers exact in float. */
    struct optimizer_spec spec = {.kind = OPTIMIZER_LAMB};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.25, .gradient_scale = 0.5f};
    float p[4] = {2, -2, 2, 2}, d[4] = {1, -64, 0.25f, -1}, m[4] = {0}, v[4] = {0};
    float *const moment[OPTIMIZER_MOMENTS] = {m, v};
    optimizer_lamb.direction(&spec, &step, 4, p, d, moment);
    CU_ASSERT_TRUE(d[0] == 1 && d[1] == -1 && d[2] == 1 && d[3] == -1);
    CU_ASSERT_TRUE(m[1] == -32 && v[1] == 1024);
    step.trust = optimizer_lamb.trust(&spec, &step, norm(4, p), norm(4, d));
    CU_ASSERT_EQUAL(step.trust, 2); /* 4 / 2 */
    optimizer_lamb.update(&spec, &step, 4, p, d, moment);
    CU_ASSERT_TRUE(p[0] == 1.5f && p[1] == -1.5f && p[2] == 1.5f && p[3] == 2.5f); /* 0.25 * 2 * d */
    CU_ASSERT_TRUE(m[1] == -32 && v[1] == 1024 && d[1] == -1);
    step.weight_decay = 0.5;
    p[0] = p[1] = p[2] = p[3] = d[0] = d[1] = d[2] = d[3] = 2;
    optimizer_lamb.direction(&spec, &step, 4, p, d, moment);
    CU_ASSERT_TRUE(d[0] == 2 && d[3] == 2); /* 1 + 0.5 * 2 */
}

static void one_step_of_lars_by_hand_gives_the_numbers(void)
{
    /* All numbers exact in float. */
    struct optimizer_spec spec = {.kind = OPTIMIZER_LARS, .trust = 0.5, .momentum = 0.5};
    struct optimizer_step step = {.step = 1, .learning_rate = 0.25, .weight_decay = 0.5, .gradient_scale = 0.5f};
    float p[2] = {3, 4}, g[2] = {3, 4}, v[2] = {1, 1};
    float *const moment[OPTIMIZER_MOMENTS] = {v, NULL};
    optimizer_lars.direction(&spec, &step, 2, p, g, moment);
    CU_ASSERT_TRUE(g[0] == 1.5f && g[1] == 2 && v[0] == 1);
    step.trust = optimizer_lars.trust(&spec, &step, norm(2, p), norm(2, g));
    CU_ASSERT_EQUAL(step.trust, 0.5); /* 0.5 * 5 / (2.5 + 0.5 * 5) */
    optimizer_lars.update(&spec, &step, 2, p, g, moment);
    CU_ASSERT_TRUE(v[0] == 0.875f && v[1] == 1); /* 0.5 * 1 + 0.25 * 0.5 * (g + 0.5 * p) */
    CU_ASSERT_TRUE(p[0] == 2.125f && p[1] == 3);
    spec.epsilon = 2.5;
    step.weight_decay = 0;
    CU_ASSERT_EQUAL(optimizer_lars.trust(&spec, &step, 5, 2.5), 0.5); /* 0.5 * 5 / (2.5 + 2.5) */
}

static void trust_is_1_where_there_is_nothing_to_compare(void)
{
    size_t tested = 0;
    for (size_t i = 0; i < SPECS; i++) {
        const struct optimizer_class *class = optimizer_classes[specs[i].kind];
        CU_ASSERT_EQUAL(class->direction == NULL, class->trust == NULL);
        if (!class->trust)
            continue;
        struct optimizer_step step = at_step(&specs[i], 1, true);
        CU_ASSERT_EQUAL(class->trust(&specs[i], &step, 0, 3), 1);
        CU_ASSERT_EQUAL(class->trust(&specs[i], &step, 3, 0), 1);
        CU_ASSERT_EQUAL(class->trust(&specs[i], &step, 0, 0), 1);
        CU_ASSERT_TRUE(isnan(class->trust(&specs[i], &step, (double)NAN, 3)));
        CU_ASSERT_TRUE(isnan(class->trust(&specs[i], &step, 3, (double)NAN)));
        CU_ASSERT_NOT_EQUAL(class->trust(&specs[i], &step, 3, 2), 1);
        tested++;
    }
    CU_ASSERT_EQUAL(tested, 7);
}

static void adam_without_decay_is_adamw_without_decay(void)
{
    for (size_t i = 0; i < SPECS; i++) {
        if (specs[i].kind != OPTIMIZER_ADAM)
            continue;
        struct optimizer_spec decoupled = specs[i];
        decoupled.kind = OPTIMIZER_ADAMW;
        struct state *adam = state_new(), *adamw = state_new();
        for (uint64_t t = 1; t <= STEPS; t++) {
            struct optimizer_step step = at_step(&specs[i], t, false);
            state_draw(adam, t);
            state_draw(adamw, t);
            update(&specs[i], &step, adam);
            update(&decoupled, &step, adamw);
        }
        CU_ASSERT_EQUAL(memcmp(adam, adamw, sizeof *adam), 0);
        memory_free(adam);
        memory_free(adamw);
    }
}

static void decay_moves_what_decays_and_nothing_else(void)
{
    for (size_t i = 0; i < SPECS; i++) {
        struct state *decayed = state_new(), *bias = state_new(), *still = state_new(), *fresh = state_new();
        for (uint64_t t = 1; t <= STEPS; t++) {
            struct optimizer_step step = at_step(&specs[i], t, true), without = at_step(&specs[i], t, false);
            state_draw(decayed, t);
            state_draw(bias, t);
            update(&specs[i], &step, decayed);
            update(&specs[i], &without, bias);
            update(&specs[i], &without, still); /* no gradient */
        }
        size_t same = 0;
        for (size_t e = 0; e < COUNT; e++)
            same += decayed->params[e] == bias->params[e];
        CU_ASSERT_EQUAL(same, specs[i].weight_decay > 0 ? 0 : COUNT);
        CU_ASSERT_EQUAL(memcmp(still, fresh, sizeof *still), 0); /* neither gradient nor decay: nothing moves */
        memory_free(decayed);
        memory_free(bias);
        memory_free(still);
        memory_free(fresh);
    }
}

static void a_rate_of_0_freezes(void)
{
    for (size_t i = 0; i < SPECS; i++) {
        struct state *s = state_new(), *fresh = state_new();
        for (uint64_t t = 1; t <= STEPS; t++) {
            struct optimizer_step step = at_step(&specs[i], t, true);
            step.learning_rate = 0;
            state_draw(s, t);
            update(&specs[i], &step, s);
        }
        CU_ASSERT_EQUAL(memcmp(s->params, fresh->params, sizeof s->params), 0);
        memory_free(s);
        memory_free(fresh);
    }
}

/* Shards begin and end anywhere: vector body or tail, aligned or not, an element's bits must not depend on it. */
static void shards_of_any_length_give_the_bits_of_the_whole(void)
{
    static const size_t lengths[][4] = {{1, 1, 1, 1},     {15, 15, 15, 15},     {16, 16, 16, 16},
                                        {17, 17, 17, 17}, {1, 15, 16, 17},      {17, 0, 1, 64},
                                        {3, 100, 7, 2},   {COUNT - 1, 1, 1, 1}, {100, COUNT, 0, 0}};
    for (size_t i = 0; i < SPECS; i++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            struct state *whole = state_new(), *shards = state_new();
            for (uint64_t t = 1; t <= 5; t++) {
                struct optimizer_step step = at_step(&specs[i], t, true);
                step.gradient_scale = 0.7f;
                state_draw(whole, t);
                state_draw(shards, t);
                update(&specs[i], &step, whole);
                update_shards(&specs[i], &step, 0, COUNT, lengths[l], shards);
            }
            CU_ASSERT_EQUAL(memcmp(whole, shards, sizeof *whole), 0);
            memory_free(whole);
            memory_free(shards);
        }
}

static void only_the_given_range_is_written(void)
{
    static const size_t whole[4] = {COUNT, COUNT, COUNT, COUNT};
    for (size_t i = 0; i < SPECS; i++) {
        struct state *s = state_new(), *before = memory_need(1, sizeof *before);
        state_draw(s, 1);
        memset(s->moment, 0x3f, sizeof s->moment);
        memcpy(before, s, sizeof *s);
        struct optimizer_step step = at_step(&specs[i], 1, true);
        for (int directs = !elementwise(&specs[i]); directs >= 0; directs--)
            call(&specs[i], &step, directs, 33, 0, s);
        CU_ASSERT_EQUAL(memcmp(s, before, sizeof *s), 0);
        update_shards(&specs[i], &step, 33, 83, whole, s);
        size_t outside = 0, unmoved = 0, changed = 0;
        for (size_t e = 0; e < COUNT; e++) {
            bool moved = s->params[e] != before->params[e], inside = e >= 33 && e < 83;
            for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
                outside += !inside && s->moment[k][e] != before->moment[k][e];
            outside += !inside && (moved || s->gradient[e] != before->gradient[e]);
            unmoved += inside && !moved && before->gradient[e] != 0;
            changed += s->gradient[e] != before->gradient[e];
        }
        CU_ASSERT_EQUAL(outside, 0);
        CU_ASSERT_TRUE(unmoved < 25); /* a gradient of 1e-6 may be less than a rounding */
        CU_ASSERT_TRUE(!elementwise(&specs[i]) || changed == 0);
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
                struct optimizer_step one = at_step(&specs[i], t, true), step = one;
                step.gradient_scale = scales[k];
                state_draw(scaled, t);
                for (size_t e = 0; e < COUNT; e++)
                    small->gradient[e] = scales[k] * scaled->gradient[e];
                update(&specs[i], &step, scaled);
                update(&specs[i], &one, small);
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
    for (size_t i = 0; i < SPECS; i++) {
        struct state *s = state_new();
        struct optimizer_step step = at_step(&specs[i], 1, true);
        state_draw(s, 1);
        s->gradient[20] = NAN;
        update(&specs[i], &step, s);
        size_t nans = 0;
        for (size_t e = 0; e < COUNT; e++)
            nans += isnan(s->params[e]) != 0;
        CU_ASSERT_EQUAL(nans, elementwise(&specs[i]) ? 1 : COUNT);
        CU_ASSERT_TRUE(isnan(s->params[20]));
        memory_free(s);
    }
}

static void every_kind_has_a_name_and_its_moments(void)
{
    static const char *const expected[][OPTIMIZER_MOMENTS] = {
        [OPTIMIZER_SGD] = {"sgd.momentum"},         [OPTIMIZER_ADAM] = {"adam.m", "adam.v"},
        [OPTIMIZER_ADAMW] = {"adamw.m", "adamw.v"}, [OPTIMIZER_LAMB] = {"lamb.m", "lamb.v"},
        [OPTIMIZER_LARS] = {"lars.momentum"},
    };
    static const char *const names[] = {NULL, "sgd", "adam", "adamw", "lamb", "lars", NULL};
    CU_ASSERT_PTR_NULL(optimizer_names[0]);
    CU_ASSERT_PTR_NULL(optimizer_names[6]);
    for (size_t kind = 1; names[kind]; kind++)
        CU_ASSERT_STRING_EQUAL(optimizer_names[kind], names[kind]);
    CU_ASSERT_PTR_NULL(optimizer_classes[OPTIMIZER_NONE]);
    for (size_t i = 0; i < SPECS; i++) {
        enum optimizer_kind kind = specs[i].kind;
        const char *const *moments = optimizer_classes[kind]->moments(&specs[i]);
        bool none = (kind == OPTIMIZER_SGD || kind == OPTIMIZER_LARS) && !(specs[i].momentum > 0);
        size_t count = 0;
        for (; moments[count]; count++)
            CU_ASSERT_TRUE(!none && expected[kind][count] && strcmp(moments[count], expected[kind][count]) == 0);
        CU_ASSERT_EQUAL(count, none ? 0 : expected[kind][1] ? 2 : 1);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"SGD follows its definition for twenty steps", sgd_follows_its_definition_for_twenty_steps},
        {"Adam follows its definition for twenty steps", adam_follows_its_definition_for_twenty_steps},
        {"AdamW follows its paper for twenty steps", adamw_follows_its_paper_for_twenty_steps},
        {"LAMB follows its paper for twenty steps", lamb_follows_its_paper_for_twenty_steps},
        {"LARS follows its paper for twenty steps", lars_follows_its_paper_for_twenty_steps},
        {"one step of SGD by hand gives the numbers", one_step_of_sgd_by_hand_gives_the_numbers},
        {"the first step of Adam and AdamW is the rate, whatever the gradient",
         the_first_step_of_adam_is_the_rate_whatever_the_gradient},
        {"one step of LAMB by hand gives the numbers", one_step_of_lamb_by_hand_gives_the_numbers},
        {"one step of LARS by hand gives the numbers", one_step_of_lars_by_hand_gives_the_numbers},
        {"trust is 1 where there is nothing to compare", trust_is_1_where_there_is_nothing_to_compare},
        {"Adam without decay is AdamW without decay", adam_without_decay_is_adamw_without_decay},
        {"decay moves what decays and nothing else", decay_moves_what_decays_and_nothing_else},
        {"a rate of 0 freezes", a_rate_of_0_freezes},
        {"shards of any length give the bits of the whole", shards_of_any_length_give_the_bits_of_the_whole},
        {"only the given range is written", only_the_given_range_is_written},
        {"the gradient is scaled before anything else", the_gradient_is_scaled_before_anything_else},
        {"NaN in the gradient reaches its parameter", a_nan_in_the_gradient_reaches_its_parameter},
        {"every kind has a name and its moments", every_kind_has_a_name_and_its_moments},
        {NULL, NULL},
    };
    return test_run("optim/optimizer", cases);
}
