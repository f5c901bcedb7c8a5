/* LARS (Y. You, I. Gitman, B. Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1), with the
 * rate inside the velocity, so that a change of the rate does not scale what has been gathered:
 *   g = scale * gradient;  ratio = trust * |p| / (|g| + decay * |p| + epsilon)
 *   v = momentum * v + rate * ratio * (g + decay * p);  p -= v
 * The norms are those of a whole tensor, and the ratio is that of every tensor, also of those that do not decay. */
#include "optim/lars.h"

#include "base/rows.h"
#include "base/target.h"
#include "optim/optimizer.h"

static const char *const *moments_of(const void *settings)
{
    static const char *const none[] = {NULL}, *const velocity[] = {"lars.momentum", NULL};
    const struct lars *lars = settings;
    return lars->momentum > 0 ? velocity : none;
}

TARGET_CLONES static void scale(float factor, size_t count, float *g)
{
    for (size_t i = 0; i < count; i++)
        g[i] *= factor;
}

static void direction(const void *settings, const struct optimizer_step *step, size_t count, const float *params,
                      float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    (void)settings, (void)params, (void)moments;
    scale(step->gradient_scale, count, gradient);
}

static double trust(const void *settings, const struct optimizer_step *step, double params_norm, double direction_norm)
{
    const struct lars *lars = settings;
    if (params_norm == 0 || direction_norm == 0)
        return 1; /* zeros could never leave 0; and no 0 / 0 */
    return lars->trust * params_norm / (direction_norm + step->weight_decay * params_norm + lars->epsilon);
}

TARGET_CLONES static void plain(float rate, float decay, size_t count, float *p, const float *g)
{
    for (size_t i = 0; i < count; i++)
        p[i] -= rate * (g[i] + decay * p[i]);
}

TARGET_CLONES static void heavy_ball(float rate, float decay, float momentum, size_t count, float *p, const float *g,
                                     float *v)
{
    for (size_t i = 0; i < count; i++) {
        v[i] = momentum * v[i] + rate * (g[i] + decay * p[i]);
        p[i] -= v[i];
    }
}

static void update(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                   const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    const struct lars *lars = settings;
    float rate = (float)(step->learning_rate * step->trust), decay = (float)step->weight_decay;
    if (lars->momentum > 0)
        heavy_ball(rate, decay, (float)lars->momentum, count, params, gradient, moments[0]);
    else
        plain(rate, decay, count, params, gradient);
}

/* Without momentum there is no velocity, so that none is in the checkpoint. */
static enum option_resume resume_momentum(const void *saved, const void *now)
{
    const struct lars *before = saved, *after = now;
    bool differ = before && after && (before->momentum > 0) != (after->momentum > 0);
    return differ ? RESUME_FIXED : RESUME_TUNABLE;
}

static const struct option_row rows[] = {
    {"momentum", "part of the velocity that stays at each step; 0: there is no velocity", FIELD(struct lars, momentum),
     REAL(0, 1), .below = true, DEFAULT("0.9"), .resume_rule = resume_momentum},
    {"epsilon", "added to the denominator of the trust ratio", FIELD(struct lars, epsilon), POSITIVE, DEFAULT("1e-8"),
     .resume = RESUME_TUNABLE},
    {"trust", "trust coefficient: factor of the ratio between the norms of a tensor and of its gradient",
     FIELD(struct lars, trust), POSITIVE, DEFAULT("0.001"), .resume = RESUME_TUNABLE},
    {0},
};

const struct optimizer_class optimizer_lars = {
    KIND_OF("lars", "SGD in which norms of each tensor scale its step, for large batches", struct lars, rows),
    .moments = moments_of,
    .update = update,
    .direction = direction,
    .trust = trust,
};
