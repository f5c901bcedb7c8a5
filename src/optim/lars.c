/* LARS (Y. You, I. Gitman, B. Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1), with the
 * rate inside the velocity, so that a change of the rate does not scale what has been gathered:
 *   g = scale * gradient;  ratio = trust * |p| / (|g| + decay * |p| + epsilon)
 *   v = momentum * v + rate * ratio * (g + decay * p);  p -= v
 * The norms are those of a whole tensor, and the ratio is that of every tensor, also of those that do not decay. */
#include "base/target.h"
#include "optim/optimizer.h"

static const char *const *moments_of(const struct optimizer_spec *spec)
{
    static const char *const none[] = {NULL}, *const velocity[] = {"lars.momentum", NULL};
    return spec->momentum > 0 ? velocity : none;
}

TARGET_CLONES static void scale(float factor, size_t count, float *g)
{
    for (size_t i = 0; i < count; i++)
        g[i] *= factor;
}

static void direction(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count,
                      const float *params, float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    (void)spec, (void)params, (void)moments;
    scale(step->gradient_scale, count, gradient);
}

static double trust(const struct optimizer_spec *spec, const struct optimizer_step *step, double params_norm,
                    double direction_norm)
{
    if (params_norm == 0 || direction_norm == 0)
        return 1; /* zeros could never leave 0; and no 0 / 0 */
    return spec->trust * params_norm / (direction_norm + step->weight_decay * params_norm + spec->epsilon);
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

static void update(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, float *params,
                   const float *gradient, float *const moments[OPTIMIZER_MOMENTS])
{
    float rate = (float)(step->learning_rate * step->trust), decay = (float)step->weight_decay;
    if (spec->momentum > 0)
        heavy_ball(rate, decay, (float)spec->momentum, count, params, gradient, moments[0]);
    else
        plain(rate, decay, count, params, gradient);
}

const struct optimizer_class optimizer_lars = {
    .moments = moments_of, .update = update, .direction = direction, .trust = trust};
