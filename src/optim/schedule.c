#include "optim/schedule.h"

#include "base/registry.h"
#include "base/rows.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the curves behind the warmup ---- */

/* The line through (begin, 1) and (end, floor), begin < end. Exactly 1 and floor there. */
static double line(double floor, double begin, double end, double t)
{
    return floor + (1 - floor) * (1 - (t - begin) / (end - begin));
}

/* Of those that fall from the warmup's end to the horizon: how far they are, in [0, 1]. */
static double progress_of(const struct schedule_time *time, double warmup)
{
    return (time->step - warmup) / (time->end - warmup);
}

static double linear(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    return line(spec->floor, warmup, time->end, time->step);
}

static double cosine(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    return spec->floor + (1 - spec->floor) * 0.5 * (1 + cos(M_PI * progress_of(time, warmup)));
}

/* base^times, by squaring. */
static double power_of(double base, uint64_t times)
{
    double result = 1;
    for (; times > 0; times /= 2, base *= base)
        if (times % 2)
            result *= base;
    return result;
}

static double step(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    const struct step_settings *settings = spec->settings;
    /* Not by schedule_length, which rounds otherwise: a step is the first behind each multiple of this. */
    double unit = spec->unit == SCHEDULE_EPOCHS ? time->samples / time->batch : 1;
    return power_of(settings->gamma, (uint64_t)fmin((time->step - warmup) / (settings->every * unit), 0x1p63));
}

static double polynomial(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    const struct polynomial_settings *settings = spec->settings;
    return spec->floor + (1 - spec->floor) * pow(1 - progress_of(time, warmup), settings->power);
}

static double wsd(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    const struct wsd_settings *settings = spec->settings;
    double begin = fmax(warmup, time->end - schedule_length(spec, time, settings->decay));
    return time->step <= begin ? 1 : line(spec->floor, begin, time->end, time->step);
}

/* ---- what a job file says of them ---- */

static const struct option_row step_rows[] = {
    {"every", "length after which the rate falls, again and again, counted from the end of the warmup",
     FIELD(struct step_settings, every), POSITIVE},
    {"gamma", "what the rate is multiplied by each time", FIELD(struct step_settings, gamma), REAL(0, 1), .above = true,
     DEFAULT("0.1")},
    {0},
};

static const struct option_row polynomial_rows[] = {
    {"power", "power of the line; 1 is linear", FIELD(struct polynomial_settings, power), POSITIVE, DEFAULT("1")},
    {0},
};

static const struct option_row wsd_rows[] = {
    {"decay", "length of the last phase, in which the rate falls", FIELD(struct wsd_settings, decay), POSITIVE},
    {0},
};

const struct schedule_class schedule_constant = {PLAIN_KIND("constant", "stays at the peak")};

const struct schedule_class schedule_linear = {PLAIN_KIND("linear", "a line from the peak down to the floor"),
                                               .falls = true, .factor = linear};

const struct schedule_class schedule_cosine = {
    PLAIN_KIND("cosine", "half a wave of a cosine from the peak down to the floor"), .falls = true, .factor = cosine};

const struct schedule_class schedule_step = {
    KIND_OF("step", "stairs: falls to a part of what it is, after equal lengths", struct step_settings, step_rows),
    .factor = step};

const struct schedule_class schedule_polynomial = {KIND_OF("polynomial",
                                                           "a power of the line from the peak down to the floor",
                                                           struct polynomial_settings, polynomial_rows),
                                                   .falls = true, .factor = polynomial};

const struct schedule_class schedule_wsd = {
    KIND_OF("wsd", "warmup, stable, decay: stays at the peak, then a line down to the floor", struct wsd_settings,
            wsd_rows),
    .falls = true, .factor = wsd};

struct registry schedule_registry = {
    .role = "schedule",
    .keys = schedule_rows,
    .kinds =
        {
            &schedule_constant.kind,
            &schedule_linear.kind,
            &schedule_cosine.kind,
            &schedule_step.kind,
            &schedule_polynomial.kind,
            &schedule_wsd.kind,
        },
};

bool schedule_register(const struct schedule_class *class, struct error *error)
{
    return registry_add(&schedule_registry, &class->kind, error);
}

const char *const schedule_units[] = {
    [SCHEDULE_UNIT_NONE] = NULL,
    [SCHEDULE_STEPS] = "steps",
    [SCHEDULE_EPOCHS] = "epochs",
    [SCHEDULE_EPOCHS + 1] = NULL,
};

static bool falls(const void *section)
{
    const struct schedule_spec *spec = section;
    return spec->class->falls;
}

const struct option_row schedule_rows[] = {
    {"name", "curve of the learning rate behind the warmup",
     KIND(struct schedule_spec, class, settings, &schedule_registry), DEFAULT("constant")},
    {"unit", "what lengths are given in; those in epochs go by the samples that were taken",
     FIELD(struct schedule_spec, unit), .choices = schedule_units, DEFAULT("steps")},
    {"warmup", "length over which the rate rises in a line from 0 to its peak", FIELD(struct schedule_spec, warmup),
     REAL(0, INFINITY), DEFAULT("0")},
    {"horizon",
     "of those that fall: where the rate has reached its floor, and stays there; without it: the end of the job",
     FIELD(struct schedule_spec, horizon), POSITIVE, .optional = true, .exists = falls},
    {"floor", "of those that fall: part of the peak that is left at the horizon", FIELD(struct schedule_spec, floor),
     REAL(0, 1), DEFAULT("0"), .exists = falls},
    KIND_KEYS,
    {0},
};

/* ---- the factor ---- */

bool schedule_follows_job(const struct schedule_spec *spec)
{
    return spec->class->falls && spec->horizon == 0;
}

double schedule_length(const struct schedule_spec *spec, const struct schedule_time *time, double length)
{
    if (spec->unit != SCHEDULE_EPOCHS || length == 0)
        return length;
    return length * time->samples / time->batch;
}

double schedule_factor(const struct schedule_spec *spec, const struct schedule_time *time)
{
    double warmup = schedule_length(spec, time, spec->warmup);
    if (time->step < warmup)
        return time->step / warmup;
    const struct schedule_class *class = spec->class;
    if (!class->factor || (class->falls && time->end <= warmup))
        return 1;
    struct schedule_time now = *time;
    if (class->falls)
        now.step = fmin(time->step, time->end);
    return class->factor(spec, &now, warmup);
}
