#include "optim/schedule.h"

#include "base/real.h"
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

/* Half a wave of a cosine: from `from` at progress 0 to `to` at 1. */
static double wave(double from, double to, double progress)
{
    double c, s;
    real_circle(progress / 2, &c, &s);
    return to + (from - to) * 0.5 * (1 + c);
}

static double cosine(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    return wave(1, spec->floor, progress_of(time, warmup));
}

static double step(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    const struct step_settings *settings = spec->settings;
    /* Not by schedule_length, which rounds otherwise: a step is the first behind each multiple of this. */
    double unit = spec->unit == SCHEDULE_EPOCHS ? time->samples / time->batch : 1;
    return real_power(settings->gamma, (uint64_t)fmin((time->step - warmup) / (settings->every * unit), 0x1p63));
}

static double polynomial(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    const struct polynomial_settings *settings = spec->settings;
    return spec->floor + (1 - spec->floor) * real_pow(1 - progress_of(time, warmup), settings->power);
}

static double wsd(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    const struct wsd_settings *settings = spec->settings;
    double begin = fmax(warmup, time->end - schedule_length(spec, time, settings->decay));
    return time->step <= begin ? 1 : line(spec->floor, begin, time->end, time->step);
}

static double one_cycle(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    (void)warmup;
    const struct one_cycle_settings *settings = spec->settings;
    double begin = 1 / settings->div_factor, peak = settings->pct_start * time->end;
    if (time->step < peak)
        return peak > 1 ? wave(begin, 1, fmax(0, time->step - 1) / (peak - 1)) : begin;
    if (time->step == peak)
        return 1;
    return wave(1, begin / settings->final_div_factor, (time->step - peak) / (time->end - peak));
}

static double cosine_restarts(const struct schedule_spec *spec, const struct schedule_time *time, double warmup)
{
    const struct cosine_restarts_settings *settings = spec->settings;
    double t = fmax(0, time->step - fmax(warmup, 1)), period = schedule_length(spec, time, settings->t_0);
    if (settings->t_mult == 1)
        t = fmod(t, period);
    for (; t >= period; period *= (double)settings->t_mult)
        t -= period;
    return wave(1, spec->floor, t / period);
}

double schedule_fallen(const struct schedule_spec *spec, uint64_t falls)
{
    const struct plateau_settings *settings = spec->settings;
    return fmax(spec->floor, real_power(settings->factor, falls));
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

static const struct option_row one_cycle_rows[] = {
    {"pct_start", "part of the length after which the rate is at its peak", FIELD(struct one_cycle_settings, pct_start),
     REAL(0, 1), DEFAULT("0.3")},
    {"div_factor", "the rate begins at the peak divided by this", FIELD(struct one_cycle_settings, div_factor),
     REAL(1, INFINITY), DEFAULT("25")},
    {"final_div_factor", "it ends at what it began with divided by this",
     FIELD(struct one_cycle_settings, final_div_factor), REAL(1, INFINITY), DEFAULT("1e4")},
    {0},
};

static const struct option_row cosine_restarts_rows[] = {
    {"t_0", "length of the first half wave, after which the rate is at its peak again",
     FIELD(struct cosine_restarts_settings, t_0), POSITIVE},
    {"t_mult", "each half wave is this many times as long as the one before",
     FIELD(struct cosine_restarts_settings, t_mult), WHOLE(1, 1000), DEFAULT("1")},
    {0},
};

static const struct option_row plateau_rows[] = {
    {"factor", "what the rate is multiplied by each time", FIELD(struct plateau_settings, factor), REAL(0, 1),
     .above = true, .below = true, DEFAULT("0.1")},
    {"patience", "validations that may be no better than the best before the rate falls",
     FIELD(struct plateau_settings, patience), WHOLE(0, 1000000000), DEFAULT("10")},
    {"threshold", "part of its value by which a validation has to be better", FIELD(struct plateau_settings, threshold),
     REAL(0, 1), DEFAULT("1e-4")},
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

const struct schedule_class schedule_one_cycle = {
    KIND_OF("one_cycle", "half a wave of a cosine up to the peak, and half a wave down to next to nothing",
            struct one_cycle_settings, one_cycle_rows),
    .falls = true, .own_ends = true, .factor = one_cycle};

const struct schedule_class schedule_cosine_restarts = {
    KIND_OF("cosine_restarts", "half a wave of a cosine from the peak down to the floor, again and again",
            struct cosine_restarts_settings, cosine_restarts_rows),
    .floors = true, .factor = cosine_restarts};

const struct schedule_class schedule_plateau = {
    KIND_OF("plateau", "falls to a part of what it is when validations, by validate.metric, are no longer better",
            struct plateau_settings, plateau_rows),
    .floors = true};

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
            &schedule_one_cycle.kind,
            &schedule_cosine_restarts.kind,
            &schedule_plateau.kind,
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

static bool has_warmup(const void *section)
{
    const struct schedule_spec *spec = section;
    return !spec->class->own_ends;
}

static bool has_floor(const void *section)
{
    const struct schedule_spec *spec = section;
    return spec->class->floors || (spec->class->falls && !spec->class->own_ends);
}

const struct option_row schedule_rows[] = {
    {"name", "curve of the learning rate behind the warmup",
     KIND(struct schedule_spec, class, settings, &schedule_registry), DEFAULT("constant")},
    {"unit", "what lengths are given in; those in epochs go by the samples that were taken",
     FIELD(struct schedule_spec, unit), .choices = schedule_units, DEFAULT("steps")},
    {"warmup", "length over which the rate rises in a line from 0 to its peak", FIELD(struct schedule_spec, warmup),
     REAL(0, INFINITY), DEFAULT("0"), .exists = has_warmup},
    {"horizon",
     "of those that fall: where the rate has reached its floor, and stays there; without it: the end of the job",
     FIELD(struct schedule_spec, horizon), POSITIVE, .optional = true, .exists = falls},
    {"floor", "of those that fall: part of the peak that is left at the end of the fall",
     FIELD(struct schedule_spec, floor), REAL(0, 1), DEFAULT("0"), .exists = has_floor},
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

double schedule_average_decay(double decay, bool warms_up, uint64_t update)
{
    double young = (1 + (double)update) / (10 + (double)update);
    return warms_up && young < decay ? young : decay;
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
