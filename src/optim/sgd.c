/* SGD with momentum as PyTorch and most texts define it (I. Sutskever et al., "On the importance of initialization and
 * momentum in deep learning", ICML 2013, in the form without the rate inside the velocity):
 *   g = scale * gradient + decay * p;  v = momentum * v + g;  p -= rate * (nesterov ? g + momentum * v : v) */
#include "optim/sgd.h"

#include "base/rows.h"
#include "base/target.h"
#include "optim/optimizer.h"

static const char *const *moments_of(const void *settings)
{
    static const char *const none[] = {NULL}, *const velocity[] = {"sgd.momentum", NULL};
    const struct sgd *sgd = settings;
    return sgd->momentum > 0 ? velocity : none;
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

static void update(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                   const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    const struct sgd *sgd = settings;
    float rate = (float)step->learning_rate, decay = (float)step->weight_decay;
    float momentum = (float)sgd->momentum;
    if (sgd->momentum <= 0)
        plain(rate, decay, step->gradient_scale, count, params, gradient);
    else if (sgd->nesterov)
        nesterov(rate, decay, step->gradient_scale, momentum, count, params, gradient, moments[0]);
    else
        heavy_ball(rate, decay, step->gradient_scale, momentum, count, params, gradient, moments[0]);
}

/* Without momentum there is no velocity, so that none is in the checkpoint. */
static enum option_resume resume_momentum(const void *saved, const void *now)
{
    const struct sgd *before = saved, *after = now;
    bool differ = before && after && (before->momentum > 0) != (after->momentum > 0);
    return differ ? RESUME_FIXED : RESUME_TUNABLE;
}

static bool check(const void *settings, const char **key, struct error *error)
{
    const struct sgd *sgd = settings;
    *key = "nesterov";
    return !sgd->nesterov || sgd->momentum > 0 ||
           error_set(error, ERROR_USAGE, "needs an optimizer.momentum of more than 0");
}

static const struct option_row rows[] = {
    {"momentum", "part of the velocity that stays at each step; 0: there is no velocity", FIELD(struct sgd, momentum),
     REAL(0, 1), .below = true, DEFAULT("0"), .resume_rule = resume_momentum},
    {"nesterov", "whether the step goes by the velocity as it will be at the next one", FIELD(struct sgd, nesterov),
     DEFAULT("false"), .resume = RESUME_TUNABLE},
    {0},
};

const struct optimizer_class optimizer_sgd = {
    KIND_OF("sgd", "stochastic gradient descent, with or without momentum", struct sgd, rows),
    .kind.check = check,
    .moments = moments_of,
    .update = update,
};
