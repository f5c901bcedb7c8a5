/* A loss: log(cosh(s (y - t))) / s, which is smooth at 0 and grows like |y - t|. */
#include "base/rows.h"
#include "nn/loss.h"

struct log_cosh {
    double sharpness; /* s */
};

static const struct option_row rows[] = {
    {"sharpness", "how soon it becomes linear", FIELD(struct log_cosh, sharpness), POSITIVE, DEFAULT("1")},
    {0},
};

/* log cosh x = |x| + log(1 + exp(-2 |x|)) - log 2, which does not overflow. */
static struct loss_point at(const struct loss_spec *spec, float y, float t)
{
    double s = ((const struct log_cosh *)spec->settings)->sharpness, x = s * ((double)y - (double)t);
    return (struct loss_point){(float)((fabs(x) + log1p(exp(-2 * fabs(x))) - log(2)) / s), (float)tanh(x)};
}

const struct loss_class loss_log_cosh = {
    KIND_OF("log_cosh", "smooth at 0, linear far from it", struct log_cosh, rows),
    .point = at,
};
