/* AdamW (I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2), with the decay
 * scaled by the learning rate as PyTorch does it:
 *   p -= rate * decay * p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *   p -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) */
#include "base/target.h"
#include "optim/optimizer.h"

#include <math.h>

static const char *const *moments(const struct optimizer_spec *spec)
{
    static const char *const both[] = {"adamw.m", "adamw.v", NULL};
    (void)spec;
    return both;
}

struct numbers {
    float scale, keep, beta1, other1, beta2, other2, rate, root2, epsilon;
};

TARGET_CLONES static void move(const struct numbers n, size_t count, float *p, const float *gradient, float *m,
                               float *v)
{
    for (size_t i = 0; i < count; i++) {
        float g = n.scale * gradient[i];
        m[i] = n.beta1 * m[i] + n.other1 * g;
        v[i] = n.beta2 * v[i] + n.other2 * (g * g);
        p[i] = n.keep * p[i] - n.rate * m[i] / (sqrtf(v[i]) * n.root2 + n.epsilon);
    }
}

static void update(const struct optimizer_spec *spec, const struct optimizer_step *step, bool decays, size_t count,
                   float *params, const float *gradient, float *const moment[OPTIMIZER_MOMENTS])
{
    /* What is the same for all elements is computed once, in double. */
    double t = (double)step->step;
    double correction1 = 1 - pow(spec->beta1, t), correction2 = 1 - pow(spec->beta2, t);
    struct numbers n = {
        .scale = step->gradient_scale,
        .keep = (float)(1 - step->learning_rate * (decays ? spec->weight_decay : 0)),
        .beta1 = (float)spec->beta1,
        .other1 = (float)(1 - spec->beta1),
        .beta2 = (float)spec->beta2,
        .other2 = (float)(1 - spec->beta2),
        .rate = (float)(step->learning_rate / correction1),
        .root2 = (float)(1 / sqrt(correction2)),
        .epsilon = (float)spec->epsilon,
    };
    move(n, count, params, gradient, moment[0], moment[1]);
}

const struct optimizer_class optimizer_adamw = {.moments = moments, .update = update};
