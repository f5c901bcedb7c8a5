#include "optim/reference.h"

#include <math.h>

/* torch.optim.SGD's documented algorithm, which is Sutskever et al. 2013 with the rate outside. */
static void sgd(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                double *g, double *v, double *unused)
{
    (void)unused;
    for (size_t i = 0; i < count; i++) {
        g[i] += step->weight_decay * p[i];
        v[i] = spec->momentum * v[i] + g[i];
        p[i] -= step->learning_rate * (spec->nesterov ? g[i] + spec->momentum * v[i] : v[i]);
    }
}

/* Kingma and Ba 2015, algorithm 1: replaces g by m_hat / (sqrt(v_hat) + epsilon). */
static void moments(const struct optimizer_spec *spec, uint64_t t, size_t count, double *g, double *m, double *v)
{
    for (size_t i = 0; i < count; i++) {
        m[i] = spec->beta1 * m[i] + (1 - spec->beta1) * g[i];
        v[i] = spec->beta2 * v[i] + (1 - spec->beta2) * g[i] * g[i];
        double m_hat = m[i] / (1 - pow(spec->beta1, (double)t)), v_hat = v[i] / (1 - pow(spec->beta2, (double)t));
        g[i] = m_hat / (sqrt(v_hat) + spec->epsilon);
    }
}

/* torch.optim.Adam's documented algorithm: the decay is a part of the gradient. */
static void adam(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                 double *g, double *m, double *v)
{
    for (size_t i = 0; i < count; i++)
        g[i] += step->weight_decay * p[i];
    moments(spec, step->step, count, g, m, v);
    for (size_t i = 0; i < count; i++)
        p[i] -= step->learning_rate * g[i];
}

/* Loshchilov and Hutter 2019, algorithm 2, lines 6 to 12; the decay times the rate. */
static void adamw(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                  double *g, double *m, double *v)
{
    moments(spec, step->step, count, g, m, v);
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
static void lamb(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                 double *g, double *m, double *v)
{
    moments(spec, step->step, count, g, m, v);
    for (size_t i = 0; i < count; i++)
        g[i] += step->weight_decay * p[i];
    double ratio = norm(count, p) / norm(count, g);
    for (size_t i = 0; i < count; i++)
        p[i] -= step->learning_rate * ratio * g[i];
}

/* You, Gitman, Ginsburg 2017, algorithm 1, with an epsilon. */
static void lars(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                 double *g, double *v, double *unused)
{
    (void)unused;
    double w = norm(count, p);
    double local = spec->trust * w / (norm(count, g) + step->weight_decay * w + spec->epsilon);
    for (size_t i = 0; i < count; i++) {
        v[i] = spec->momentum * v[i] + step->learning_rate * local * (g[i] + step->weight_decay * p[i]);
        p[i] -= v[i];
    }
}

void reference_step(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                    double *g, double *m, double *v)
{
    static void (*const steps[])(const struct optimizer_spec *, const struct optimizer_step *, size_t, double *,
                                 double *, double *, double *) = {
        [OPTIMIZER_SGD] = sgd,   [OPTIMIZER_ADAM] = adam, [OPTIMIZER_ADAMW] = adamw,
        [OPTIMIZER_LAMB] = lamb, [OPTIMIZER_LARS] = lars,
    };
    steps[spec->kind](spec, step, count, p, g, m, v);
}
