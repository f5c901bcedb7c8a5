/* SGD with momentum as PyTorch and most texts define it (I. Sutskever et al., "On the importance of initialization and
 * momentum in deep learning", ICML 2013, in the form without the rate inside the velocity):
 *   g = scale * gradient + decay * p;  v = momentum * v + g;  p -= rate * (nesterov ? g + momentum * v : v) */
#include "base/target.h"
#include "optim/optimizer.h"

static const char *const *moments_of(const struct optimizer_spec *spec)
{
    static const char *const none[] = {NULL}, *const velocity[] = {"sgd.momentum", NULL};
    return spec->momentum > 0 ? velocity : none;
}

TARGET_CLONES static void plain(float rate, float decay, float scale, size_t count, float *p, const float *gradient)
{
    for (size_t i = 0; i < count; i++)
        p[i] -= rate * (scale * gradient[i] + decay * p[i]);
}

TARGET_CLONES static void heavy_ball(float rate, float decay, float scale, float momentum, size_t count, float *p,
                                     const float *gradient, float *v)
{
    for (size_t i = 0; i < count; i++) {
        v[i] = momentum * v[i] + (scale * gradient[i] + decay * p[i]);
        p[i] -= rate * v[i];
    }
}

TARGET_CLONES static void nesterov(float rate, float decay, float scale, float momentum, size_t count, float *p,
                                   const float *gradient, float *v)
{
    for (size_t i = 0; i < count; i++) {
        float g = scale * gradient[i] + decay * p[i];
        v[i] = momentum * v[i] + g;
        p[i] -= rate * (g + momentum * v[i]);
    }
}

static void update(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, float *params,
                   const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    float rate = (float)step->learning_rate, decay = (float)step->weight_decay;
    float momentum = (float)spec->momentum;
    if (spec->momentum <= 0)
        plain(rate, decay, step->gradient_scale, count, params, gradient);
    else if (spec->nesterov)
        nesterov(rate, decay, step->gradient_scale, momentum, count, params, gradient, moments[0]);
    else
        heavy_ball(rate, decay, step->gradient_scale, momentum, count, params, gradient, moments[0]);
}

const struct optimizer_class optimizer_sgd = {.moments = moments_of, .update = update};
