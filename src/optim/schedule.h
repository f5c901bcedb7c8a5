/* Learning-rate schedules: the factor of the peak rate at a step, a pure function of it. One row of schedule_registry
 * and a function each. A program can add schedules of its own: schedule_register. */
#ifndef OPTIM_SCHEDULE_H
#define OPTIM_SCHEDULE_H

#include "base/kind.h"
#include "base/option.h"

#include <stdbool.h>
#include <stdint.h>

enum schedule_unit {
    SCHEDULE_UNIT_NONE = 0,
    SCHEDULE_STEPS,
    SCHEDULE_EPOCHS,
};

/* By unit, as in job files; [0] NULL, NULL behind the last. */
extern const char *const schedule_units[];

/* What a job file says. Lengths are in `unit`; an epoch need not be a whole number of steps. */
struct schedule_spec {
    const struct schedule_class *class;
    void *settings; /* of the class's kind; NULL: it has none */
    enum schedule_unit unit;
    double warmup;  /* the rate rises linearly from 0 to its peak, which it has at step `warmup` */
    double horizon; /* of those that fall: where they have reached their floor; 0: at the end of the job */
    double floor;   /* of those that fall: factor at the horizon and behind it, in [0, 1] */
};

/* The settings of those that have some. */
struct step_settings {
    double every; /* > 0, counted from the end of the warmup */
    double gamma; /* in [0, 1] */
};
struct polynomial_settings {
    double power; /* > 0; 1 is linear */
};
struct wsd_settings {
    double decay; /* length of the last phase; begins at the end of the warmup if there is no room for more */
};
struct one_cycle_settings {
    double pct_start;        /* where the peak is, as a part of the horizon; in [0, 1] */
    double div_factor;       /* >= 1: the rate begins at peak / div_factor ... */
    double final_div_factor; /* >= 1: ... and ends at that / final_div_factor */
};
struct cosine_restarts_settings {
    double t_0;      /* > 0: length of the first period */
    uint64_t t_mult; /* >= 1: each period is this many times as long as the one before */
};
struct plateau_settings {
    double factor;     /* in (0, 1): what the rate is multiplied by */
    uint64_t patience; /* validations that may be no better before it is */
    double threshold;  /* in [0, 1]: by which part of its value a better one is better */
};

/* Where a job is. Steps may have a fraction: those of a job whose batch has changed, counted in the present batch. */
struct schedule_time {
    double step;    /* > 0 */
    double end;     /* spec->horizon, or what stands for it, in steps; > 0 */
    double samples; /* of an epoch; used by unit epochs only */
    double batch;   /* samples of a step; likewise */
};

struct schedule_class {
    struct kind kind;
    bool falls;    /* to an end, which it reaches at the horizon: `floor`, unless `own_ends` */
    bool own_ends; /* of those that fall: where it begins and ends its own keys say: it has no warmup and no floor */
    bool floors;   /* to `floor`, with no horizon */

    /* Local. The factor behind the warmup, which ends at `warmup` (in steps), in [0, 1]. Of those that fall: warmup <
     * time->end, and time->step is at most time->end. NULL: it is 1. */
    double (*factor)(const struct schedule_spec *spec, const struct schedule_time *time, double warmup);
};

/* The schedules of the house. */
extern const struct schedule_class schedule_constant;
extern const struct schedule_class schedule_linear;     /* from 1 down to floor */
extern const struct schedule_class schedule_cosine;     /* I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, equation 5, one
                                                         * cycle: from 1 down to floor */
extern const struct schedule_class schedule_step;       /* gamma^k, k = how often `every` has passed since the warmup:
                                                         * gamma from warmup + every on */
extern const struct schedule_class schedule_polynomial; /* floor + (1 - floor) (1 - progress)^power */
extern const struct schedule_class schedule_wsd;        /* warmup, stable at 1, then over the last `decay` linearly down
                                                         * to floor (S. Hu et al., "MiniCPM", 2024, section 4.2) */

/* L. Smith, N. Topin, "Super-convergence", 2018, as PyTorch's OneCycleLR has it with two phases: half a wave from 1 /
 * div_factor at step 1 up to 1 at pct_start of the horizon, and half a wave down to 1 / (div_factor final_div_factor)
 * at the horizon. Momentum stays what it is. */
extern const struct schedule_class schedule_one_cycle;

/* "SGDR" with its restarts, as PyTorch's CosineAnnealingWarmRestarts has them: floor + (1 - floor) (1 + cos(pi t / T))
 * / 2 in each period of length T, t being 0 where it begins. The first begins at the end of the warmup, at step 1 if
 * there is none. */
extern const struct schedule_class schedule_cosine_restarts;

/* As PyTorch's ReduceLROnPlateau: the rate falls when validations are no longer better. A job's history decides it
 * (policy/plateau.h); as a function of the step it stays at 1. */
extern const struct schedule_class schedule_plateau;

/* The schedules that a job file can name. */
extern struct registry schedule_registry;

/* Local, as registry_add (base/registry.h), which it calls. */
bool schedule_register(const struct schedule_class *class, struct error *error) WARN_UNUSED;

/* The rows of a schedule in a job file; their base is a struct schedule_spec. */
extern const struct option_row schedule_rows[];

/* Local. Whether its curve ends where the job ends, so that a job of another length has another curve. */
bool schedule_follows_job(const struct schedule_spec *spec);

/* Local. A length in the schedule's unit, in steps: whole numbers of them are exact. */
double schedule_length(const struct schedule_spec *spec, const struct schedule_time *time, double length);

/* Local. Of plateau: what is left of the peak when the rate has fallen so often; not less than the floor. */
double schedule_fallen(const struct schedule_spec *spec, uint64_t falls);

/* Local. The decay of averaged weights at an update, counted from 1. While they warm up it is at most (1 + n) / (10 +
 * n) at update n, as TensorFlow's ExponentialMovingAverage has it with num_updates, so that the initial weights are
 * soon forgotten. */
double schedule_average_decay(double decay, bool warms_up, uint64_t update);

/* Local. The factor for time->step, in [0, 1]. All falling curves begin at the end of the warmup, end at the horizon,
 * and stay there (step and cosine_restarts end nowhere). If the warmup is not shorter than the horizon, 1 comes after
 * it. */
double schedule_factor(const struct schedule_spec *spec, const struct schedule_time *time);

#endif
