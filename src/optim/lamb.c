/* LAMB (Y. You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", ICLR 2020,
 * algorithm 2), with phi the identity:
 *   g = scale * gradient;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *   d = (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) + decay * p
 *   p -= rate * (|p| / |d|) * d
 * The ratio is that of a whole tensor, and of every tensor: also of those that do not decay, as in the paper. */
#include "base/target.h"
#include "optim/adam.h"

#include <math.h>

static const char *const *moments_of(const void *settings)
{
    static const char *const both[] = {"lamb.m", "lamb.v", NULL};
    (void)settings;
    return both;
}

struct numbers {
    float scale, decay, beta1, other1, beta2, other2, scale1, root2, epsilon;
};

/* d [count] is the gradient, and becomes the direction. p, m, v: [count]. */
TARGET_CLONES static void aim(const struct numbers n, size_t count, const float *p, float *d, float *m, float *v)
{
    for (size_t i = 0; i < count; i++) {
        float g = n.scale * d[i];
        m[i] = n.beta1 * m[i] + n.other1 * g;
        v[i] = n.beta2 * v[i] + n.other2 * (g * g);
        d[i] = n.scale1 * m[i] / (sqrtf(v[i]) * n.root2 + n.epsilon) + n.decay * p[i];
    }
}

static void direction(const void *settings, const struct optimizer_step *step, size_t count, const float *params,
                      float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    const struct adam *adam = settings;
    /* What is the same for all elements is computed once, in double. */
    double correction1 = 1 - step->power[0], correction2 = 1 - step->power[1];
    struct numbers n = {
        .scale = step->gradient_scale,
        .decay = (float)step->weight_decay,
        .beta1 = (float)adam->beta1,
        .other1 = (float)(1 - adam->beta1),
        .beta2 = (float)adam->beta2,
        .other2 = (float)(1 - adam->beta2),
        .scale1 = (float)(1 / correction1),
        .root2 = (float)(1 / sqrt(correction2)),
        .epsilon = (float)adam->epsilon,
    };
    aim(n, count, params, gradient, moments[0], moments[1]);
}

static double trust(const void *settings, const struct optimizer_step *step, double params_norm, double direction_norm)
{
    (void)settings, (void)step;
    if (params_norm == 0 || direction_norm == 0)
        return 1; /* zeros could never leave 0; and no 0 / 0 */
    return params_norm / direction_norm;
}

TARGET_CLONES static void move(float rate, size_t count, float *p, const float *d)
{
    for (size_t i = 0; i < count; i++)
        p[i] -= rate * d[i];
}

static void update(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                   const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    (void)settings, (void)moments;
    move((float)(step->learning_rate * step->trust), count, params, gradient);
}

static const struct option_row rows[] = {
    ADAM_ROWS("1e-6"),
    {0},
};

const struct optimizer_class optimizer_lamb = {
    KIND_OF("lamb", "Adam in which norms of each tensor scale its step, for large batches", struct adam, rows),
    .weight_decay = "0.01",
    .moments = moments_of,
    .prepare = adam_prepare,
    .update = update,
    .direction = direction,
    .trust = trust,
};
