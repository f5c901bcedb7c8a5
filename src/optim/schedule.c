#include "optim/schedule.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

const char *const schedule_names[] = {
    [SCHEDULE_NONE] = NULL,       [SCHEDULE_CONSTANT] = "constant", [SCHEDULE_LINEAR] = "linear",
    [SCHEDULE_COSINE] = "cosine", [SCHEDULE_STEP] = "step",         [SCHEDULE_POLYNOMIAL] = "polynomial",
    [SCHEDULE_WSD] = "wsd",       [SCHEDULE_WSD + 1] = NULL,
};

const char *const schedule_units[] = {
    [SCHEDULE_UNIT_NONE] = NULL,
    [SCHEDULE_STEPS] = "steps",
    [SCHEDULE_EPOCHS] = "epochs",
    [SCHEDULE_EPOCHS + 1] = NULL,
};

/* base^times, by squaring. */
static double power_of(double base, uint64_t times)
{
    double result = 1;
    for (; times > 0; times /= 2, base *= base)
        if (times % 2)
            result *= base;
    return result;
}

/* The line through (begin, 1) and (end, floor), begin < end. Exactly 1 and floor there. */
static double line(double floor, double begin, double end, double t)
{
    return floor + (1 - floor) * (1 - (t - begin) / (end - begin));
}

bool schedule_falls(enum schedule_kind kind)
{
    return kind == SCHEDULE_LINEAR || kind == SCHEDULE_COSINE || kind == SCHEDULE_POLYNOMIAL || kind == SCHEDULE_WSD;
}

bool schedule_follows_job(const struct schedule_spec *spec)
{
    return schedule_falls(spec->kind) && spec->horizon == 0;
}

double schedule_factor(const struct schedule_spec *spec, double step, double horizon, double steps_per_epoch)
{
    /* All in steps; whole numbers of them are exact. */
    double unit = spec->unit == SCHEDULE_EPOCHS ? steps_per_epoch : 1;
    double warmup = spec->warmup * unit, end = horizon;
    if (step < warmup)
        return step / warmup;
    if (spec->kind == SCHEDULE_STEP)
        return power_of(spec->gamma, (uint64_t)fmin((step - warmup) / (spec->every * unit), 0x1p63));
    if (end <= warmup)
        return 1;
    double t = fmin(step, end);
    double progress = (t - warmup) / (end - warmup);
    switch (spec->kind) {
    case SCHEDULE_LINEAR:
        return line(spec->floor, warmup, end, t);
    case SCHEDULE_COSINE:
        return spec->floor + (1 - spec->floor) * 0.5 * (1 + cos(M_PI * progress));
    case SCHEDULE_POLYNOMIAL:
        return spec->floor + (1 - spec->floor) * pow(1 - progress, spec->power);
    case SCHEDULE_WSD: {
        double begin = fmax(warmup, end - spec->decay * unit);
        return t <= begin ? 1 : line(spec->floor, begin, end, t);
    }
    case SCHEDULE_NONE:
    case SCHEDULE_CONSTANT:
    case SCHEDULE_STEP:
        break;
    }
    return 1;
}
