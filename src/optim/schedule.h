/* Learning-rate schedules: the factor of the peak rate at a step, a pure function of it. */
#ifndef OPTIM_SCHEDULE_H
#define OPTIM_SCHEDULE_H

#include <stdbool.h>

enum schedule_kind {
    SCHEDULE_NONE = 0,
    SCHEDULE_CONSTANT,
    SCHEDULE_LINEAR,     /* from 1 down to floor */
    SCHEDULE_COSINE,     /* I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, equation 5, one cycle: from 1 down to floor */
    SCHEDULE_STEP,       /* gamma^k, k = how often `every` has passed since the warmup: gamma from warmup + every on */
    SCHEDULE_POLYNOMIAL, /* floor + (1 - floor) (1 - progress)^power */
    SCHEDULE_WSD,        /* warmup, stable at 1, then over the last `decay` linearly down to floor (S. Hu et al.,
                            "MiniCPM", 2024, section 4.2) */
};

/* By kind, as in job files; [0] NULL, NULL behind the last. */
extern const char *const schedule_names[];

enum schedule_unit {
    SCHEDULE_UNIT_NONE = 0,
    SCHEDULE_STEPS,
    SCHEDULE_EPOCHS,
};

/* By unit, as in job files; [0] NULL, NULL behind the last. */
extern const char *const schedule_units[];

/* What a job file says. Lengths are in `unit`; an epoch need not be a whole number of steps. */
struct schedule_spec {
    enum schedule_kind kind;
    enum schedule_unit unit;
    double warmup;  /* the rate rises linearly from 0 to its peak, which it has at step `warmup` */
    double horizon; /* of those that fall: where they have reached their floor; 0: at the end of the job */
    double floor;   /* of those that fall: factor at the horizon and behind it, in [0, 1] */
    double every;   /* step: > 0, counted from the end of the warmup */
    double gamma;   /* step: in [0, 1] */
    double power;   /* polynomial: > 0; 1 is linear */
    double decay;   /* wsd: length of the last phase; begins at the end of the warmup if there is no room for more */
};

/* Local. Whether it falls to a floor, which it reaches at the horizon: linear, cosine, polynomial, wsd. */
bool schedule_falls(enum schedule_kind kind);

/* Local. Whether its curve ends where the job ends, so that a job of another length has another curve. */
bool schedule_follows_job(const struct schedule_spec *spec);

/* Local. The factor for `step` (> 0), in [0, 1]. horizon (> 0): spec->horizon, or what stands for it, in steps;
 * steps_per_epoch: samples / batch, of which unit epochs makes use. All falling curves begin at the end of the warmup,
 * end at the horizon, and stay there (step ends nowhere). If the warmup is not shorter than the horizon, 1 comes after
 * it. Steps may have a fraction: those of a job whose batch has changed, counted in the present batch. */
double schedule_factor(const struct schedule_spec *spec, double step, double horizon, double steps_per_epoch);

#endif
