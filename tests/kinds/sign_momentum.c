/* An optimizer: m = c m + (1 - c) g; p -= rate * (sign(m) + decay * p). */
#include "base/rows.h"
#include "optim/optimizer.h"

struct sign_momentum {
    double momentum; /* c */
};

static const struct option_row rows[] = {
    {"momentum", "weight of the past", FIELD(struct sign_momentum, momentum), REAL(0, 1), .below = true, DEFAULT("0.9"),
     .resume = RESUME_TUNABLE},
    {0},
};

static const char *const *moments(const void *settings)
{
    static const char *const names[] = {"sign_momentum.m", NULL};
    (void)settings;
    return names;
}

static void update(const void *settings, const struct optimizer_step *step, size_t count, float *params,
                   const float *gradient, float *const moment[OPTIMIZER_MOMENTS])
{
    float c = (float)((const struct sign_momentum *)settings)->momentum, *m = moment[0];
    float rate = (float)step->learning_rate, decay = (float)step->weight_decay;
    for (size_t i = 0; i < count; i++) {
        m[i] = c * m[i] + (1 - c) * (step->gradient_scale * gradient[i]);
        params[i] -= rate * ((float)((m[i] > 0) - (m[i] < 0)) + decay * params[i]);
    }
}

const struct optimizer_class optimizer_sign_momentum = {
    KIND_OF("sign_momentum", "steps of one size, by the sign of an averaged gradient", struct sign_momentum, rows),
    .weight_decay = "0.001",
    .moments = moments,
    .update = update,
};
