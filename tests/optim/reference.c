#include "optim/reference.h"

#include "optim/adam.h"
#include "optim/lars.h"
#include "optim/sgd.h"

#include <math.h>

/* torch.optim.SGD's documented algorithm, which is Sutskever et al. 2013 with the rate outside. */
static void sgd(const void *settings, const struct optimizer_step *step, size_t count, double *p, double *g, double *v,
                double *unused)
{
    const struct sgd *sgd = settings;
    (void)unused;
    for (size_t i = 0; i < count; i++) {
        g[i] += step->weight_decay * p[i];
        v[i] = sgd->momentum * v[i] + g[i];
        p[i] -= step->learning_rate * (sgd->nesterov ? g[i] + sgd->momentum * v[i] : v[i]);
    }
}

/* Kingma and Ba 2015, algorithm 1: replaces g by m_hat / (sqrt(v_hat) + epsilon). */
static void moments(const struct adam *adam, uint64_t t, size_t count, double *g, double *m, double *v)
{
    for (size_t i = 0; i < count; i++) {
        m[i] = adam->beta1 * m[i] + (1 - adam->beta1) * g[i];
        v[i] = adam->beta2 * v[i] + (1 - adam->beta2) * g[i] * g[i];
        double m_hat = m[i] / (1 - pow(adam->beta1, (double)t)), v_hat = v[i] / (1 - pow(adam->beta2, (double)t));
        g[i] = m_hat / (sqrt(v_hat) + adam->epsilon);
    }
}

/* torch.optim.Adam's documented algorithm: the decay is a part of the gradient. */
static void adam(const void *settings, const struct optimizer_step *step, size_t count, double *p, double *g, double *m,
                 double *v)
{
    for (size_t i = 0; i < count; i++)
        g[i] += step->weight_decay * p[i];
    moments(settings, step->step, count, g, m, v);
    for (size_t i = 0; i < count; i++)
        p[i] -= step->learning_rate * g[i];
}

/* Loshchilov and Hutter 2019, algorithm 2, lines 6 to 12; the decay times the rate. */
static void adamw(const void *settings, const struct optimizer_step *step, size_t count, double *p, double *g,
                  double *m, double *v)
{
    moments(settings, step->step, count, g, m, v);
    for (size_t i = 0; i < count; i++)
        p[i] -= step->learning_rate * (g[i] + step->weight_decay * p[i]);
}

static double norm(size_t count, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* You et al. 2020, algorithm 2, phi(z) = z. */
static void lamb(const void *settings, const struct optimizer_step *step, size_t count, double *p, double *g, double *m,
                 double *v)
{
    moments(settings, step->step, count, g, m, v);
    for (size_t i = 0; i < count; i++)
        g[i] += step->weight_decay * p[i];
    double ratio = norm(count, p) / norm(count, g);
    for (size_t i = 0; i < count; i++)
        p[i] -= step->learning_rate * ratio * g[i];
}

/* You, Gitman, Ginsburg 2017, algorithm 1, with an epsilon. */
static void lars(const void *settings, const struct optimizer_step *step, size_t count, double *p, double *g, double *v,
                 double *unused)
{
    const struct lars *lars = settings;
    (void)unused;
    double w = norm(count, p);
    double local = lars->trust * w / (norm(count, g) + step->weight_decay * w + lars->epsilon);
    for (size_t i = 0; i < count; i++) {
        v[i] = lars->momentum * v[i] + step->learning_rate * local * (g[i] + step->weight_decay * p[i]);
        p[i] -= v[i];
    }
}

void reference_step(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                    double *g, double *m, double *v)
{
    static const struct {
        const struct optimizer_class *class;
        void (*step)(const void *settings, const struct optimizer_step *step, size_t count, double *p, double *g,
                     double *m, double *v);
    } steps[] = {
        {&optimizer_sgd, sgd},   {&optimizer_adam, adam}, {&optimizer_adamw, adamw},
        {&optimizer_lamb, lamb}, {&optimizer_lars, lars},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i].class == spec->class)
            steps[i].step(spec->settings, step, count, p, g, m, v);
}
