#include "train/update_reference.h"

#include "base/memory.h"
#include "optim/adam.h"
#include "optim/lars.h"
#include "optim/sgd.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>

/* One tensor in double; each [count]. */
struct expected {
    double *arrays[ARRAYS];
    double *direction;
};

/* Adam's m / (1 - b1^t) over sqrt(v / (1 - b2^t)) + epsilon, after m and v have taken in g. */
static double adam_ratio(const struct adam *adam, uint64_t number, double g, double *m, double *v)
{
    *m = adam->beta1 * *m + (1 - adam->beta1) * g;
    *v = adam->beta2 * *v + (1 - adam->beta2) * g * g;
    double t = (double)number, mean = *m / (1 - pow(adam->beta1, t)), square = *v / (1 - pow(adam->beta2, t));
    return mean / (sqrt(square) + adam->epsilon);
}

static double direction_of(const struct optimizer_spec *spec, uint64_t number, double g, double decay, double p,
                           double *m, double *v)
{
    if (spec->class == &optimizer_sgd)
        return g + decay * p;
    if (spec->class == &optimizer_adam)
        return adam_ratio(spec->settings, number, g + decay * p, m, v);
    if (spec->class == &optimizer_adamw || spec->class == &optimizer_lamb)
        return adam_ratio(spec->settings, number, g, m, v) + decay * p;
    return spec->class == &optimizer_lars ? g : (double)NAN;
}

static double norm(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

static double ratio_of(const struct optimizer_spec *spec, double decay, double p, double d)
{
    const struct lars *lars = spec->settings;
    if (p == 0 || d == 0)
        return 1;
    if (spec->class == &optimizer_lamb)
        return p / d;
    return spec->class == &optimizer_lars ? lars->trust * p / (d + decay * p + lars->epsilon) : 1;
}

/* One step of a tensor along its direction d. */
static void move(const struct optimizer_spec *spec, double rate, double decay, struct expected *x, size_t count)
{
    double *p = x->arrays[PARAMS], *v = x->arrays[MOMENT_0], *d = x->direction;
    const struct sgd *sgd = spec->settings;
    const struct lars *lars = spec->settings;
    for (size_t i = 0; i < count; i++)
        if (spec->class == &optimizer_sgd) {
            v[i] = sgd->momentum * v[i] + d[i];
            p[i] -= rate * (sgd->nesterov ? d[i] + sgd->momentum * v[i] : v[i]);
        } else if (spec->class == &optimizer_lars) {
            v[i] = lars->momentum * v[i] + rate * (d[i] + decay * p[i]);
            p[i] -= v[i];
        } else {
            p[i] -= rate * d[i];
        }
}

static void expect_learned(const struct trial *trial, size_t s, uint64_t number, struct expected *x, size_t count)
{
    const struct optimizer_spec *spec = &trial->spec;
    double decay = subjects[s].weight_decay < 0 ? spec->weight_decay : subjects[s].weight_decay;
    double rate = trial_rate(trial, number) * subjects[s].rate_factor;
    double *p = x->arrays[PARAMS], *m = x->arrays[MOMENT_0], *v = x->arrays[MOMENT_1], *d = x->direction;
    for (size_t i = 0; i < count; i++) {
        double g = (double)trial_scale(trial, number) * (double)subject_gradient(s, number, i);
        d[i] = direction_of(spec, number, g, decay, p[i], &m[i], &v[i]);
    }
    move(spec, rate * ratio_of(spec, decay, norm(p, count), norm(d, count)), decay, x, count);
}

static void expect_step(const struct trial *trial, size_t s, uint64_t number, struct expected *x, size_t count)
{
    double momentum = (double)subjects[s].tensor.momentum, *p = x->arrays[PARAMS], *average = x->arrays[AVERAGE];
    if (subjects[s].tensor.role == TENSOR_STATISTIC && subjects[s].rate_factor > 0)
        for (size_t i = 0; i < count; i++)
            p[i] = (1 - momentum) * p[i] + momentum * (double)subject_gradient(s, number, i);
    else if (subjects[s].rate_factor > 0)
        expect_learned(trial, s, number, x, count);
    for (size_t i = 0; i < count; i++)
        average[i] = trial->average * average[i] + (1 - trial->average) * p[i];
}

/* Rounding to float is all that ours may have more: a difference is measured by the array's largest element. */
static void check_near(const struct trial *trial, size_t s, enum array array, size_t count, const float *ours,
                       const double *theirs)
{
    double largest = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(theirs[i]));
    for (size_t i = 0; i < count; i++) {
        bool near = fabs((double)ours[i] - theirs[i]) <= 2e-6 * largest;
        if (!near && wrong++ == 0)
            printf("\n    %s, %s of %s [%zu]: %.9g, expected %.9g ", trial->name, array_names[array],
                   subjects[s].tensor.name, i, (double)ours[i], theirs[i]);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

void update_reference_check(const struct trial *trial, size_t s, const struct tensor *tensor,
                            float *const arrays[ARRAYS])
{
    struct expected x;
    bool learns = tensor->role != TENSOR_STATISTIC && subjects[s].rate_factor > 0;
    x.direction = memory_need(tensor->count, sizeof *x.direction);
    for (enum array a = 0; a < ARRAYS; a++) {
        x.arrays[a] = memory_need(tensor->count, sizeof(double));
        for (size_t i = 0; i < tensor->count; i++)
            x.arrays[a][i] = (double)subject_initial(s, a, i);
    }
    for (uint64_t number = FIRST; number < FIRST + STEPS; number++)
        expect_step(trial, s, number, &x, tensor->count);
    for (enum array a = 0; a < ARRAYS; a++) {
        bool is_there = a == PARAMS || (a == AVERAGE && trial->average > 0) ||
                        (a != AVERAGE && learns && a - MOMENT_0 < trial_moments(trial));
        if (is_there)
            check_near(trial, s, a, tensor->count, arrays[a] + tensor->offset, x.arrays[a]);
        memory_free(x.arrays[a]);
    }
    memory_free(x.direction);
}
