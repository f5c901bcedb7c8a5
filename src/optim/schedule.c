#include "optim/schedule.h"

#include <math.h>

double schedule_factor(const struct schedule_spec *spec, uint64_t step, uint64_t steps)
{
    if (step < spec->warmup)
        return (double)step / (double)spec->warmup;
    if (spec->kind != SCHEDULE_COSINE || steps <= spec->warmup)
        return 1;
    double progress = (double)(step - spec->warmup) / (double)(steps - spec->warmup);
    return spec->floor + (1 - spec->floor) * 0.5 * (1 + cos(M_PI * progress));
}
