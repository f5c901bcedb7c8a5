/* Adam (D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1), with the decay added
 * to the gradient (L2) as PyTorch does it, and AdamW (I. Loshchilov, F. Hutter, "Decoupled weight decay
 * regularization", ICLR 2019, algorithm 2), with the decay scaled by the learning rate:
 *   Adam:  g = scale * gradient + decay * p
 *   AdamW: g = scale * gradient;  p -= rate * decay * p
 *   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *   p -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) */
#include "base/target.h"
#include "optim/optimizer.h"

#include <math.h>

static const char *const *adam_moments(const struct optimizer_spec *spec)
{
    static const char *const both[] = {"adam.m", "adam.v", NULL};
    (void)spec;
    return both;
}

static const char *const *adamw_moments(const struct optimizer_spec *spec)
{
    static const char *const both[] = {"adamw.m", "adamw.v", NULL};
    (void)spec;
    return both;
}

/* decay is Adam's, keep (1 less the decay of one step) AdamW's. */
struct numbers {
    float scale, decay, keep, beta1, other1, beta2, other2, rate, root2, epsilon;
};

/* What is the same for all elements is computed once, in double. */
static struct numbers numbers_of(const struct optimizer_spec *spec, const struct optimizer_step *step)
{
    double correction1 = 1 - step->power1, correction2 = 1 - step->power2;
    return (struct numbers){
        .scale = step->gradient_scale,
        .decay = (float)step->weight_decay,
        .keep = (float)(1 - step->learning_rate * step->weight_decay),
        .beta1 = (float)spec->beta1,
        .other1 = (float)(1 - spec->beta1),
        .beta2 = (float)spec->beta2,
        .other2 = (float)(1 - spec->beta2),
        .rate = (float)(step->learning_rate / correction1),
        .root2 = (float)(1 / sqrt(correction2)),
        .epsilon = (float)spec->epsilon,
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

static void adam_update(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count,
                        float *params, const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    adam_move(numbers_of(spec, step), count, params, gradient, moments[0], moments[1]);
}

static void adamw_update(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count,
                         float *params, const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    adamw_move(numbers_of(spec, step), count, params, gradient, moments[0], moments[1]);
}

const struct optimizer_class optimizer_adam = {.moments = adam_moments, .update = adam_update};
const struct optimizer_class optimizer_adamw = {.moments = adamw_moments, .update = adamw_update};
