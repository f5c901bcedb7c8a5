#include "optim/trial.h"

#include "base/memory.h"
#include "base/rng.h"
#include "optim/adam.h"
#include "optim/lars.h"
#include "optim/reference.h"
#include "optim/sgd.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>

enum { BLOCK = 29 };

static struct sgd plain, heavy = {.momentum = 0.9}, ahead = {.momentum = 0.9, .nesterov = true},
                         lighter_ahead = {.momentum = 0.8, .nesterov = true};
static struct adam usual = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
                   short_sighted = {.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3},
                   without_mean = {.beta1 = 0, .beta2 = 0.9, .epsilon = 1e-8};
static struct lars bold = {.trust = 0.01}, bold_and_safe = {.trust = 0.01, .epsilon = 1e-8},
                   rolling = {.trust = 0.002, .momentum = 0.9},
                   rolling_slowly = {.trust = 0.002, .momentum = 0.9, .epsilon = 0.5};

const struct optimizer_spec trial_specs[TRIAL_SPECS] = {
    {&optimizer_sgd, &plain, .learning_rate = 0.05},
    {&optimizer_sgd, &plain, .learning_rate = 0.05, .weight_decay = 0.1},
    {&optimizer_sgd, &heavy, .learning_rate = 0.01},
    {&optimizer_sgd, &heavy, .learning_rate = 0.01, .weight_decay = 0.1},
    {&optimizer_sgd, &ahead, .learning_rate = 0.01},
    {&optimizer_sgd, &lighter_ahead, .learning_rate = 0.01, .weight_decay = 0.1},
    {&optimizer_adam, &usual, .learning_rate = 0.01},
    {&optimizer_adam, &usual, .learning_rate = 0.01, .weight_decay = 0.1},
    {&optimizer_adam, &short_sighted, .learning_rate = 0.01, .weight_decay = 0.3},
    {&optimizer_adamw, &usual, .learning_rate = 0.01},
    {&optimizer_adamw, &usual, .learning_rate = 0.01, .weight_decay = 0.1},
    {&optimizer_adamw, &short_sighted, .learning_rate = 0.01, .weight_decay = 0.3},
    {&optimizer_adamw, &without_mean, .learning_rate = 0.01},
    {&optimizer_lamb, &usual, .learning_rate = 0.01},
    {&optimizer_lamb, &usual, .learning_rate = 0.01, .weight_decay = 0.1},
    {&optimizer_lamb, &short_sighted, .learning_rate = 0.01, .weight_decay = 0.3},
    {&optimizer_lars, &bold, .learning_rate = 1},
    {&optimizer_lars, &bold_and_safe, .learning_rate = 1, .weight_decay = 0.1},
    {&optimizer_lars, &rolling, .learning_rate = 1},
    {&optimizer_lars, &rolling_slowly, .learning_rate = 1, .weight_decay = 0.1},
};

struct trial *trial_new(void)
{
    struct trial *s = memory_need(1, sizeof *s);
    for (size_t i = 0; i < TRIAL_COUNT; i++)
        s->params[i] = (i % 2 ? -1 : 1) * (1 + rng_uniform(rng_key(1, "params"), i));
    return s;
}

void trial_draw(struct trial *s, uint64_t step)
{
    static const float magnitudes[] = {1, 1e-3f, 0.1f, 1e-6f, 2};
    for (size_t i = 0; i < TRIAL_COUNT; i++) {
        float noise = 2 * rng_uniform(rng_key(step, "gradient"), i) - 1;
        s->gradient[i] = i % 10 == 9 ? 0 : magnitudes[i % 5] * (noise + 0.25f);
    }
}

struct optimizer_step trial_step_at(const struct optimizer_spec *spec, uint64_t step, bool decays)
{
    struct optimizer_step numbers = optimizer_step_at(spec, step);
    numbers.learning_rate = spec->learning_rate * (1 - 0.02 * (double)step);
    numbers.weight_decay = optimizer_decay(spec, NULL, decays);
    numbers.gradient_scale = 1;
    numbers.trust = (double)NAN;
    return numbers;
}

bool trial_is_elementwise(const struct optimizer_spec *spec)
{
    return !spec->class->direction;
}

double trial_norm(size_t count, const float *x)
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

void trial_call(const struct optimizer_spec *spec, const struct optimizer_step *step, bool directs, size_t first,
                size_t count, struct trial *s)
{
    const struct optimizer_class *class = spec->class;
    float *moment[OPTIMIZER_MOMENTS] = {NULL};
    for (size_t k = 0; class->moments(spec->settings)[k]; k++)
        moment[k] = s->moment[k] + first;
    if (directs)
        class->direction(spec->settings, step, count, s->params + first, s->gradient + first, moment);
    else
        class->update(spec->settings, step, count, s->params + first, s->gradient + first, moment);
}

void trial_update_shards(const struct optimizer_spec *spec, const struct optimizer_step *given, size_t first,
                         size_t end, const size_t lengths[4], struct trial *s)
{
    struct optimizer_step step = *given;
    for (int directs = !trial_is_elementwise(spec); directs >= 0; directs--) {
        for (size_t at = first, n = 0; at < end; n++) {
            size_t length = lengths[n % 4] < end - at ? lengths[n % 4] : end - at;
            trial_call(spec, &step, directs, at, length, s);
            at += length;
        }
        if (directs)
            step.trust = spec->class->trust(spec->settings, &step, trial_norm(end - first, s->params + first),
                                            trial_norm(end - first, s->gradient + first));
    }
}

void trial_update(const struct optimizer_spec *spec, const struct optimizer_step *step, struct trial *s)
{
    static const size_t whole[4] = {TRIAL_COUNT, TRIAL_COUNT, TRIAL_COUNT, TRIAL_COUNT};
    trial_update_shards(spec, step, 0, TRIAL_COUNT, whole, s);
}

/* The largest relative error of a parameter over TRIAL_STEPS steps. */
static double error_of(const struct optimizer_spec *spec, bool decays)
{
    double p[TRIAL_COUNT], g[TRIAL_COUNT], m[TRIAL_COUNT] = {0}, v[TRIAL_COUNT] = {0}, largest = 0;
    struct trial *s = trial_new();
    for (size_t i = 0; i < TRIAL_COUNT; i++)
        p[i] = (double)s->params[i];
    for (uint64_t t = 1; t <= TRIAL_STEPS; t++) {
        struct optimizer_step step = trial_step_at(spec, t, decays);
        step.gradient_scale = 0.75f;
        trial_draw(s, t);
        for (size_t i = 0; i < TRIAL_COUNT; i++)
            g[i] = 0.75 * (double)s->gradient[i];
        reference_step(spec, &step, TRIAL_COUNT, p, g, m, v);
        trial_update(spec, &step, s);
        for (size_t i = 0; i < TRIAL_COUNT; i++) {
            double error = fabs((double)s->params[i] - p[i]) / fabs(p[i]);
            largest = error <= largest ? largest : error; /* NaN counts */
        }
    }
    memory_free(s);
    return largest;
}

void trial_check_class(const struct optimizer_class *class)
{
    for (size_t i = 0; i < TRIAL_SPECS; i++)
        for (int decays = 0; decays <= 1 && trial_specs[i].class == class; decays++) {
            double error = error_of(&trial_specs[i], decays);
            CU_ASSERT_TRUE(error <= 1e-5);
            if (!(error <= 1e-5))
                printf("\n    settings %zu, %s decay: relative error %g", i, decays ? "with" : "without", error);
        }
}
