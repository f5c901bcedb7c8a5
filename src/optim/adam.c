/* Adam (D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1), with the decay added
 * to the gradient (L2) as PyTorch does it, and AdamW (I. Loshchilov, F. Hutter, "Decoupled weight decay
 * regularization", ICLR 2019, algorithm 2), with the decay scaled by the learning rate:
 *   Adam:  g = scale * gradient + decay * p
 *   AdamW: g = scale * gradient;  p -= rate * decay * p
 *   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *   p -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) */
#include "optim/adam.h"

#include "base/real.h"
#include "base/target.h"

#include <math.h>

static const char *const *adam_moments(const void *settings)
{
    static const char *const both[] = {"adam.m", "adam.v", NULL};
    (void)settings;
    return both;
}

static const char *const *adamw_moments(const void *settings)
{
    static const char *const both[] = {"adamw.m", "adamw.v", NULL};
    (void)settings;
    return both;
}

void adam_prepare(const void *settings, struct optimizer_step *step)
{
    const struct adam *adam = settings;
    step->power[0] = real_power(adam->beta1, step->step);
    step->power[1] = real_power(adam->beta2, step->step);
}

/* decay is Adam's, keep (1 less the decay of one step) AdamW's. */
struct numbers {
    float scale, decay, keep, beta1, other1, beta2, other2, rate, root2, epsilon;
};

/* What is the same for all elements is computed once, in double. */
static struct numbers numbers_of(const struct adam *adam, const struct optimizer_step *step)
{
    double correction1 = 1 - step->power[0], correction2 = 1 - step->power[1];
    return (struct numbers){
        .scale = step->gradient_scale,
        .decay = (float)step->weight_decay,
        .keep = (float)(1 - step->learning_rate * step->weight_decay),
        .beta1 = (float)adam->beta1,
        .other1 = (float)(1 - adam->beta1),
        .beta2 = (float)adam->beta2,
        .other2 = (float)(1 - adam->beta2),
        .rate = (float)(step->learning_rate / correction1),
        .root2 = (float)(1 / sqrt(correction2)),
        .epsilon = (float)adam->epsilon,
    };
}

/* p, gradient, m, v: [count]. */
TARGET_CLONES static void adam_move(const struct numbers n, size_t count, float *p, const float *gradient, float *m,
                                    float *v)
{
    for (size_t i = 0; i < count; i++) {
        float g = n.scale * gradient[i] + n.decay * p[i];
        m[i] = n.beta1 * m[i] + n.other1 * g;
        v[i] = n.beta2 * v[i] + n.other2 * (g * g);
        p[i] -= n.rate * m[i] / (sqrtf(v[i]) * n.root2 + n.epsilon);
    }
}

TARGET_CLONES static void adamw_move(const struct numbers n, size_t count, float *p, const float *gradient, float *m,
                                     float *v)
{
    for (size_t i = 0; i < count; i++) {
        float g = n.scale * gradient[i];
        m[i] = n.beta1 * m[i] + n.other1 * g;
        v[i] = n.beta2 * v[i] + n.other2 * (g * g);
        p[i] = n.keep * p[i] - n.rate * m[i] / (sqrtf(v[i]) * n.root2 + n.epsilon);
    }
}

static void adam_update(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                        const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    adam_move(numbers_of(settings, step), count, params, gradient, moments[0], moments[1]);
}

static void adamw_update(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                         const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    adamw_move(numbers_of(settings, step), count, params, gradient, moments[0], moments[1]);
}

static const struct option_row rows[] = {
    ADAM_ROWS("1e-8"),
    {0},
};

const struct optimizer_class optimizer_adam = {
    KIND_OF("adam", "Adam, with the decay as a part of the gradient", struct adam, rows),
    .moments = adam_moments,
    .prepare = adam_prepare,
    .update = adam_update,
};

const struct optimizer_class optimizer_adamw = {
    KIND_OF("adamw", "Adam, with a decay of its own that the learning rate scales", struct adam, rows),
    .weight_decay = "0.01",
    .moments = adamw_moments,
    .prepare = adam_prepare,
    .update = adamw_update,
};
